"""A roster in the vault: repeatable, everybody seated once, and consent that only ever gets stricter by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from reports.gather import gather
from tasks.retention.erase import forget
from tasks.roster.consents import ConsentRegister, read_consents
from tasks.roster.intake import admit, note_roster, seat_everybody
from tasks.roster.read import Roster, read_roster
from tasks.roster.task import begin_batch, take_roster
from tasks.vault.batches import Order, load_batch, move_seat, open_batch, seats_of
from tasks.vault.failures import NoConsent
from tasks.vault.halts import carry_on, stop_batch
from tasks.vault.records import AuditEntry, Consent, Decision, Employee, Erasure, Seat
from tasks.vault.seat_kits import choose_kit
from tasks.vault.settings import Settings, load_settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROSTER = (
    b"Employee ID,Name,Work Email,Status,Headshot generation\n"
    b"007,Ann,a@x.example,Active,yes\n7,Bob,b@x.example,Active,opt out\n8,Cy,c@x.example,Terminated,yes\n"
    b"9,Dee,d@x.example,Active,yes\n9,Eve,e@x.example,Active,yes\n,Fay,f@x.example,Active,yes\n"
)
GIVEN = (
    b"Employee ID,Purpose,Text version,Given at,Withdrawn at\n007,headshot,v1,2026-10-01,\n7,headshot,v1,2026-10-01,\n"
)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        yield opened


def take(vault: Vault, roster: Roster, register: ConsentRegister | None, now: datetime = NOW) -> str:
    batch = open_batch(vault, Order("/drop", "harbour", "draft", "embedded"), now)
    seat_everybody(vault, batch, admit(vault, roster, register, now), roster)
    note_roster(vault, batch, roster, register)
    return batch


def standing(vault: Vault, batch: str) -> dict[str, tuple[str, str | None]]:
    with vault.reading() as session:
        numbers = {employee.id: employee.number for employee in session.exec(select(Employee))}
    return {numbers[seat.employee_id]: (seat.state, seat.reason) for seat in seats_of(vault, batch)}


def test_everybody_gets_one_seat_and_doubtful_rows_a_record_of_their_own(vault: Vault) -> None:
    batch = take(vault, read_roster(ROSTER, "r.csv"), read_consents(GIVEN, "c.csv"))
    assert standing(vault, batch) == {
        "007": ("ready", None),
        "7": ("ready", "opted_out"),
        "8": ("blocked", "left_company"),
        "9 (row 5)": ("blocked", "duplicate_id"),
        "9 (row 6)": ("blocked", "duplicate_id"),
        "(row 7)": ("blocked", "missing_id"),
    }
    with vault.reading() as session:  # the register's line for 9 is not given to both
        assert len(session.exec(select(Consent)).all()) == 2
    assert seats_of(vault, batch)[1].lane == "faithful"
    assert load_batch(vault, batch).facts["roster"]["people"] == 6


def test_a_new_batch_goes_on_from_the_reshoots_of_an_older_one(vault: Vault) -> None:
    """The next upload threw the reshoot away: its four first pictures, one refused, stood instead."""
    roster, register = read_roster(ROSTER, "r.csv"), read_consents(GIVEN, "c.csv")
    batch = take(vault, roster, register)
    ann = seats_of(vault, batch)[0].employee_id
    with vault.session() as session:
        seat = session.get_one(Seat, (batch, ann))
        seat.round, seat.chances, seat.longer_from, seat.answered = 2, 1, 2, "d1"

    def seat_in(kit: str) -> Seat:
        other = open_batch(vault, Order("/other", kit, "draft", "embedded"), NOW + timedelta(days=1))
        seat_everybody(vault, other, admit(vault, roster, register, NOW), roster)
        return next(seat for seat in seats_of(vault, other) if seat.employee_id == ann)

    again = seat_in("harbour")
    assert (again.round, again.chances, again.longer_from, again.answered) == (2, 1, 2, "d1")
    assert seat_in("signal").round == 0, "another kit begins anew"


def test_taking_it_again_changes_nothing(vault: Vault) -> None:
    roster, register = read_roster(ROSTER, "r.csv"), read_consents(GIVEN, "c.csv")
    batch = take(vault, roster, register)
    with vault.reading() as session:
        before = [session.exec(select(table)).all() for table in (Employee, Consent, AuditEntry)]
    assert take(vault, roster, register, NOW + timedelta(days=1)) == batch
    with vault.reading() as session:
        assert [session.exec(select(table)).all() for table in (Employee, Consent, AuditEntry)] == before


def test_a_withdrawal_in_the_register_closes_the_vault(vault: Vault) -> None:
    roster = read_roster(ROSTER, "r.csv")
    batch = take(vault, roster, read_consents(GIVEN, "c.csv"))
    ann = seats_of(vault, batch)[0].employee_id
    vault.permit(ann, now=NOW)
    taken_back = GIVEN.replace(b"007,headshot,v1,2026-10-01,", b"007,headshot,v1,2026-10-01,2026-11-20")
    take(vault, roster, read_consents(taken_back, "c.csv"))
    with pytest.raises(NoConsent, match="consent_withdrawn"):
        vault.permit(ann, now=NOW)
    assert standing(vault, batch)["007"] == ("blocked", "consent_withdrawn")
    # An old register, read again, gives nothing back.
    take(vault, roster, read_consents(GIVEN, "c.csv"))
    assert standing(vault, batch)["007"] == ("blocked", "consent_withdrawn")


def test_each_wording_is_a_consent_of_its_own_and_each_purpose_is_taken_back_for_itself(vault: Vault) -> None:
    both = GIVEN + b"007,headshot,v2,2026-10-01,\n007,newsletter,v1,2026-10-01,\n"
    for _ in range(2):
        take(vault, read_roster(ROSTER, "r.csv"), read_consents(both, "c.csv"))
    with vault.reading() as session:
        kept = sorted((one.purpose, one.text_version) for one in session.exec(select(Consent)))
    assert kept == [("headshot", "v1"), ("headshot", "v1"), ("headshot", "v2"), ("newsletter", "v1")]
    gone = both.replace(b"007,newsletter,v1,2026-10-01,", b"007,newsletter,v1,2026-10-01,2026-11-01")
    take(vault, read_roster(ROSTER, "r.csv"), read_consents(gone, "c.csv"))
    with vault.reading() as session:
        assert [one.purpose for one in session.exec(select(Consent)) if one.withdrawn_at] == ["newsletter"]


def test_consent_given_later_frees_the_seat(vault: Vault) -> None:
    roster = read_roster(ROSTER, "r.csv")
    batch = take(vault, roster, read_consents(GIVEN.splitlines(True)[0] + GIVEN.splitlines(True)[2], "c.csv"))
    assert standing(vault, batch)["007"] == ("blocked", "no_consent")
    take(vault, roster, read_consents(GIVEN, "c.csv"))
    assert standing(vault, batch)["007"] == ("ready", None)


def test_no_file_carries_a_stopped_batch_on(vault: Vault) -> None:
    """Neither who was stopped, nor who comes new or gets free, is worked on before somebody says so."""
    batch = take(vault, read_roster(ROSTER, "r.csv"), None)
    assert standing(vault, batch)["007"] == ("blocked", "no_consent")
    stop_batch(vault, batch, "Ada", NOW)
    more = read_roster(ROSTER + b"11,Gil,g@x.example,Active,yes\n", "r.csv")
    take(vault, more, read_consents(GIVEN + b"11,headshot,v1,2026-10-01,\n", "c.csv"))
    assert {standing(vault, batch)[who] for who in ("007", "7", "11")} == {("stopped", "stopped")}
    carry_on(vault, batch, "Ada", NOW)
    assert standing(vault, batch)["007"] == ("ready", None)
    assert standing(vault, batch)["7"] == ("ready", "opted_out")


def test_without_any_consent_file_the_vault_decides(vault: Vault) -> None:
    roster = read_roster(ROSTER, "r.csv")
    assert standing(vault, take(vault, roster, None))["007"] == ("blocked", "no_consent")
    take(vault, roster, read_consents(GIVEN, "c.csv"))
    assert standing(vault, take(vault, roster, None))["007"] == ("ready", None)


def test_an_undated_yes_counts_from_when_it_was_first_read(vault: Vault) -> None:
    roster = read_roster(b"Employee ID,Name,Consent\n1,A,yes\n", "r.csv")
    for day in range(3):
        take(vault, roster, None, NOW + timedelta(days=day))
    with vault.reading() as session:
        assert [consent.given_at for consent in session.exec(select(Consent))] == [NOW]
    take(vault, read_roster(b"Employee ID,Name,Consent\n1,A,no\n", "r.csv"), None, NOW + timedelta(days=4))
    with vault.reading() as session:
        assert session.exec(select(Consent)).one().withdrawn_at == NOW + timedelta(days=4)


def test_a_forgotten_person_needs_a_consent_dated_after(vault: Vault) -> None:
    """The register still holds the old yes: it brings nobody back. Neither does an undated one."""
    roster = read_roster(b"Employee ID,Name\n007,Ann\n", "r.csv")
    take(vault, roster, read_consents(GIVEN, "c.csv"))
    with vault.session() as session:  # as retention leaves it
        ann = session.exec(select(Employee)).one()
        ann.number, ann.state = f"gone-{vault.keys.pseudonym('007')}", "erased"
        session.add(Erasure(id="e1", employee_id=ann.id, reason="requested", state="final", due_at=NOW, started_at=NOW,
                            fenced_at=NOW, resweep_at=None, finished_at=NOW))  # fmt: skip
    later = NOW + timedelta(days=9)
    for register in (GIVEN, b"Employee ID,Consent\n007,yes\n", None):
        batch = take(vault, roster, read_consents(register, "c.csv") if register else None, later)
        (seat,) = seats_of(vault, batch)
        assert (seat.employee_id, seat.state, seat.reason, seat.row) == (ann.id, "blocked", "forgotten", 2)
    assert seat.findings[0]["measured"] == "2026-11-23"
    assert "deleted on 23 November 2026" in seat.findings[0]["sentence"]
    with vault.reading() as session:
        assert [one.employee_id for one in session.exec(select(Consent))] == [ann.id], "the old yes is not read again"
    fresh = GIVEN.replace(b"2026-10-01", b"2026-11-25")
    assert standing(vault, take(vault, roster, read_consents(fresh, "c.csv"), later))["007"] == ("ready", None)


def test_of_a_forgotten_person_a_roster_writes_nothing_down(vault: Vault) -> None:
    """In whatever order and however often the line stands there; HR is told the row."""
    lines = b"Employee ID,Name,Email,Department\n1,Bob Stay,bob@x.example,Ops\n"
    roster = read_roster(lines + b"007,Ann Gone,ann@x.example,Choir\n", "r.csv")
    take(vault, roster, None)
    with vault.reading() as session:
        ann = session.exec(select(Employee).where(Employee.number == "007")).one().id
    forget(vault, ann, "requested", NOW)
    twice = read_roster(lines + b"007,Ann Gone,ann@x.example,Choir\n007,Ann Gone,ann@x.example,Choir\n", "r.csv")
    for again in (roster, roster, twice):
        batch = take(vault, again, None, NOW + timedelta(days=1))
        seats = {seat.row: (seat.state, seat.reason) for seat in seats_of(vault, batch)}
        assert all(seats[row] == ("blocked", "forgotten") for row in seats if row > 2)
        assert len(seats) == len(again.rows), "everybody is accounted for"
        with vault.reading() as session:
            kept = [(one.name, one.email, one.department, one.state) for one in session.exec(select(Employee))]
        assert kept.count(("Bob Stay", "bob@x.example", "Ops", "active")) == 1
        assert all(one[:3] == ("", "", "") and one[3] == "erased" for one in kept if one[0] != "Bob Stay")
        assert gather(vault, batch).forgotten_rows[0] == "row 3: forgotten on 23 November 2026"


def test_a_no_said_at_the_desk_outranks_the_next_roster(vault: Vault) -> None:
    roster = read_roster(b"Employee ID,Name,Headshot generation\n007,Ann,yes\n", "r.csv")
    batch = take(vault, roster, read_consents(GIVEN, "c.csv"))
    ann = seats_of(vault, batch)[0].employee_id

    def say(verdict: str, hours: int) -> None:
        at = NOW + timedelta(hours=hours)
        with vault.session() as session:
            session.add(Decision(id=verdict, employee_id=ann, batch_id=batch, verdict=verdict, by="hr", at=at))

    def lane() -> object:
        with vault.session() as session:
            session.delete(session.get_one(Seat, (batch, ann)))
        take(vault, roster, read_consents(GIVEN, "c.csv"))
        return seats_of(vault, batch)[0].lane

    say("opt_out", 1)
    assert lane() == "faithful"
    with vault.reading() as session:
        assert session.get_one(Employee, ann).generation is False
    say("undo", 2)
    assert lane() == "generated"


def test_records_hold_the_newest_roster_and_the_audit_no_names(vault: Vault) -> None:
    take(vault, read_roster(ROSTER, "r.csv"), read_consents(GIVEN, "c.csv"))
    take(vault, read_roster(ROSTER.replace(b"Ann", b"Anna"), "r.csv"), read_consents(GIVEN, "c.csv"))
    with vault.reading() as session:
        assert session.exec(select(Employee).where(Employee.number == "007")).one().name == "Anna"
        assert "Ann" not in repr(session.exec(select(AuditEntry)).all())


def test_a_line_of_the_roster_names_its_persons_kit(vault: Vault) -> None:
    """A kit by person or department: the batch's own where the line says nothing, and what was chosen before stays."""
    batch = open_batch(vault, Order("/drop", "harbour", "draft", "embedded"), NOW)

    def upload(*kits: str) -> dict[str, tuple[str, str, str | None]]:
        lines = [f"{n},Person {chr(65 + n)},{n}@x.example,Active,{kit}" for n, kit in enumerate(kits)]
        head = (
            "Employee ID,Name,Work Email,Status,Brand kit" if kits[0] != "-" else "Employee ID,Name,Work Email,Status,X"
        )
        roster = read_roster("\n".join([head, *lines]).encode(), "r.csv")
        register = read_consents(
            "\n".join(["Employee ID,Given at", *(f"{n},2026-10-01" for n in range(4))]).encode(), "c"
        )
        seat_everybody(
            vault, batch, admit(vault, roster, register, NOW, batch), roster, ("harbour", "signal", "big-day")
        )
        with vault.reading() as session:
            numbers = {person.id: person.number for person in session.exec(select(Employee))}
        return {numbers[seat.employee_id]: (seat.kit, seat.state, seat.reason) for seat in seats_of(vault, batch)}

    first = upload("", "signal", "Big Day", "navy")
    assert first["0"] == ("", "ready", None)
    assert first["1"] == ("signal", "ready", None)
    assert first["2"] == ("big-day", "ready", None), "as its folder is called"
    assert first["3"] == ("", "blocked", "unknown_kit"), "asked about, never guessed"
    with vault.session() as session:
        for seat in session.exec(select(Seat).where(Seat.state == "ready")):
            seat.state, seat.round = "done", 1
    assert upload("-", "-", "-", "-")["1"][:2] == ("signal", "done"), "a roster without the column takes nothing away"
    again = upload("", "signal", "harbour", "signal")
    assert again["1"] == ("signal", "done", None)
    assert again["2"] == ("", "ready", None), "pictures are taken again, under the batch's own kit"
    assert again["3"] == ("signal", "ready", None)
    assert next(seat for seat in seats_of(vault, batch) if seat.kit == "" and seat.state == "ready").round == 0
    with vault.reading() as session:
        chosen = session.exec(select(Employee.id).where(Employee.number == "1")).one()
    choose_kit(vault, batch, {chosen}, "harbour", ["harbour", "signal"], NOW)
    again = upload("", "signal", "Big Day", "signal")
    assert again["1"][0] == "", "who had another one chosen by hand keeps that, whatever the roster says again"
    assert again["3"][0] == "signal", "and the roster still says it of everybody else"


def test_a_no_takes_back_every_yes_before_it_whatever_day_its_line_names(vault: Vault) -> None:
    """The register's line named another day, or another wording, for the yes than the records: the yes stood on."""
    head = b"Employee ID,Purpose,Text version,Given at,Withdrawn at\n"
    roster = read_roster(ROSTER, "r.csv")
    batch = take(vault, roster, read_consents(head + b"007,headshot,v1,2026-10-05,\n", "c.csv"))
    assert standing(vault, batch)["007"] == ("ready", None)
    take(vault, roster, read_consents(head + b"007,headshot,v0,2026-10-01,2026-11-20\n", "c.csv"))
    assert standing(vault, batch)["007"] == ("blocked", "consent_withdrawn")
    with pytest.raises(NoConsent, match="withdrawn"):
        vault.permit(seats_of(vault, batch)[0].employee_id, now=NOW)
    # A yes that is newer than the no stands, and the old line, read again, leaves it alone.
    again = head + b"007,headshot,v0,2026-10-01,2026-11-20\n007,headshot,v2,2026-11-22,\n"
    take(vault, roster, read_consents(again, "c.csv"))
    assert standing(vault, batch)["007"] == ("ready", None)
    take(vault, roster, read_consents(head + b"007,headshot,v0,2026-10-01,2026-11-20\n", "c.csv"))
    vault.permit(seats_of(vault, batch)[0].employee_id, now=NOW)


def test_a_persons_order_forgets_what_learning_came_to_and_a_run_that_goes_on_does_not(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("Employee ID,Name,Work Email\nA-1,Ada Lovelace,ada@example.com\n")
    (tmp_path / "consents.csv").write_text("Employee ID,Consent,Date\nA-1,yes,2026-11-01\n")
    batch = begin_batch.fn(Order(str(tmp_path), "harbour", "draft", "embedded"))
    take_roster.fn(batch)
    with open_vault(load_settings()) as vault:
        (seat,) = seats_of(vault, batch)
        move_seat(vault, batch, seat.employee_id, "failed", "not_their_own", adapter_digest="d")
        take_roster.fn(batch, ordered=False)
        assert [one.adapter_digest for one in seats_of(vault, batch)] == ["d"]
        take_roster.fn(batch)
        assert [(one.state, one.adapter_digest) for one in seats_of(vault, batch)] == [("failed", None)]
