"""Who is who from one roster to the next: asked where it is not plain, waited for, answered once, remembered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select
from typer.testing import CliRunner

from tasks.roster.consents import read_consents
from tasks.roster.identity import Called, KnownPeople, is_last_roster, name_key, same_name
from tasks.roster.intake import admit, seat_everybody
from tasks.roster.new_numbers import answer_new_numbers, new_numbers
from tasks.roster.questions import (
    BadAnswer,
    answer_question,
    ask_about_missing,
    open_questions,
    waiting_people,
)
from tasks.roster.read import read_roster
from tasks.roster.recorded_consents import withdraw_at_once
from tasks.vault.batches import Order, open_batch, seats_of, take_version
from tasks.vault.failures import NoConsent
from tasks.vault.records import AuditEntry, Consent, Decision, EarlierName, Employee, Headshot, Question
from tasks.vault.review import reviews_of
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HEAD = "Employee ID,Name,Work Email\n"
SIOBHAN, LI = "NW-4,Siobhan O'Connor,siobhan@x.example\n", "NW-5,Li Wei,li@x.example\n"
OTHERS = "NW-1,Ann Bo,ann@x.example\nNW-2,Cy Dee,cy@x.example\n"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        yield opened


def take(vault: Vault, rows: str, days: int = 0, drop: str = "/first") -> str:
    """A drop with these rows, everybody with consent, taken in as the first step of a run does."""
    now = NOW + timedelta(days=days)
    roster = read_roster((HEAD + rows).encode(), "r.csv")
    lines = "".join(f"{row.number},headshot,2026-10-01\n" for row in roster.rows)
    register = read_consents(f"Employee ID,Purpose,Given at\n{lines}".encode(), "c.csv")
    batch = open_batch(vault, Order(drop, "harbour", "draft", "embedded"), now)
    take_version(vault, batch, rows, len(roster.rows), now)
    admissions = admit(vault, roster, register, now, batch)
    seat_everybody(vault, batch, admissions, roster)
    here = {one.employee_id for one in admissions}.union(*(one.may_be for one in admissions))
    ask_about_missing(vault, batch, here, now)
    return batch


def people(vault: Vault) -> dict[str, Employee]:
    with vault.reading() as session:
        return {one.number: one for one in session.exec(select(Employee))}


def stands(vault: Vault, batch: str) -> dict[str, tuple[str, str | None]]:
    names = {one.id: one.name for one in people(vault).values()}
    return {names[seat.employee_id]: (seat.state, seat.reason) for seat in seats_of(vault, batch)}


def say(vault: Vault, about: str, words: str) -> None:
    """HR answers the question that speaks of `about` with the choice whose words begin so."""
    [asked] = [one for one in open_questions(vault) if about in one.words]
    [choice] = [one for one in asked.choices if one.words.startswith(words)]
    answer_question(vault, asked.id, choice.answer, "Hannah", NOW)


def test_two_people_whose_numbers_were_swapped_are_asked_about_and_keep_what_is_theirs(vault: Vault) -> None:
    """Each got the other's face, approved, under the other's name, without one word."""
    take(vault, OTHERS + SIOBHAN + LI)
    before = people(vault)
    swapped = "NW-4,Li Wei,li@x.example\nNW-5,Siobhan O'Connor,siobhan@x.example\n"
    batch = take(vault, OTHERS + swapped, 30, "/second")
    assert stands(vault, batch) == {
        "Ann Bo": ("ready", None), "Cy Dee": ("ready", None),
        "Li Wei": ("blocked", "who_is_this"), "Siobhan O'Connor": ("blocked", "who_is_this"),
    }  # fmt: skip
    assert (people(vault)["NW-4"].name, people(vault)["NW-5"].name) == ("Siobhan O'Connor", "Li Wei"), "nothing yet"
    with vault.reading() as session:
        assert {before["NW-4"].id, before["NW-5"].id} < waiting_people(session)
    say(vault, "NW-4 is Li Wei", "The same as Li Wei")
    say(vault, "NW-5 is Siobhan", "The same as Siobhan O'Connor")
    now = people(vault)
    assert {now["NW-4"].id, now["NW-5"].id} == {before["NW-5"].id, before["NW-4"].id}
    assert (now["NW-4"].id, now["NW-4"].name) == (before["NW-5"].id, "Li Wei")
    assert [one.identity for one in (now["NW-4"], now["NW-5"])] != [0, 0], "what was approved under the old one is void"
    assert set(now) == {"NW-1", "NW-2", "NW-4", "NW-5"}
    take(vault, OTHERS + swapped, 30, "/second")
    assert set(stands(vault, batch).values()) == {("ready", None)}
    assert open_questions(vault) == []


def test_a_merger_changes_everybodys_number_and_each_is_asked_once(vault: Vault) -> None:
    take(vault, SIOBHAN + LI)
    before = people(vault)
    merged = "90004,Siobhan O'Connor,siobhan@x.example\n90005,Li Wei,li@x.example\n"
    batch = take(vault, merged, 30, "/second")
    take(vault, merged, 31, "/second")
    assert len(open_questions(vault)) == 2, "asked once, and nobody of them is missing"
    for name in ("Siobhan", "Li Wei"):
        say(vault, name, "The same as")
    take(vault, merged, 32, "/second")
    assert set(stands(vault, batch).values()) == {("ready", None)}
    assert {one.id for one in people(vault).values()} == {one.id for one in before.values()}


def test_a_married_name_is_a_question_where_the_e_mail_changed_too_and_old_names_are_kept(vault: Vault) -> None:
    take(vault, SIOBHAN + LI)
    married = "NW-4,Siobhan Li,siobhan.li@x.example\n"
    batch = take(vault, married + LI, 30, "/second")
    assert stands(vault, batch)["Siobhan Li"] == ("blocked", "who_is_this")
    say(vault, "Siobhan Li", "The same as Siobhan O'Connor")
    siobhan = people(vault)["NW-4"]
    assert (siobhan.name, siobhan.identity) == ("Siobhan Li", 1)
    with vault.reading() as session:
        [was] = session.exec(select(EarlierName)).all()
    assert (was.employee_id, was.name, was.identity) == (siobhan.id, "Siobhan O'Connor", 0)
    take(vault, married + LI, 30, "/second")
    assert stands(vault, batch)["Siobhan Li"] == ("ready", None)
    # An older roster, run again, renames nobody back and asks nothing.
    take(vault, SIOBHAN + LI, 40)
    assert people(vault)["NW-4"].name == "Siobhan Li"
    assert open_questions(vault) == []


@pytest.mark.parametrize(
    ("row", "identity"),
    [
        ("NW-4,Siobhan O'Connor,s.oconnor@new.example\n", 0),  # the company's addresses changed
        ("NW-4,O’Connor Siobhán,siobhan@x.example\n", 0),  # the same name otherwise spelt
        ("NW-4,Siobhan Mary O'Connor,other@x.example\n", 0),
        ("NW-4,Siobhan Li,siobhan@x.example\n", 1),  # another name, the same address: approvals end
    ],
)
def test_what_needs_no_question(vault: Vault, row: str, identity: int) -> None:
    take(vault, SIOBHAN + LI)
    before = people(vault)["NW-4"].id
    batch = take(vault, row + LI, 30, "/second")
    assert open_questions(vault) == []
    siobhan = people(vault)["NW-4"]
    assert (siobhan.id, siobhan.identity) == (before, identity)
    assert set(stands(vault, batch).values()) == {("ready", None)}


def test_a_number_given_to_somebody_new_opens_nobody_elses_photos(vault: Vault) -> None:
    take(vault, SIOBHAN + LI)
    siobhan = people(vault)["NW-4"].id
    batch = take(vault, "NW-4,Eve Fox,eve@x.example\n" + LI, 30, "/second")
    say(vault, "Eve Fox", "Another person")
    eve = people(vault)["NW-4"]
    assert (eve.name, eve.status) == ("Eve Fox", "active")
    assert eve.id != siobhan
    with vault.reading() as session:
        was = session.get_one(Employee, siobhan)
    assert was.number.startswith("NW-4 (until 2026-11-23")
    take(vault, "NW-4,Eve Fox,eve@x.example\n" + LI, 31, "/second")
    assert stands(vault, batch)["Eve Fox"] == ("ready", None)


def test_a_mistake_is_remembered_and_stays_blocked_until_it_is_mended(vault: Vault) -> None:
    take(vault, SIOBHAN + LI)
    wrong = "NW-4,Eve Fox,eve@x.example\n"
    batch = take(vault, wrong + LI, 30, "/second")
    say(vault, "Eve Fox", "A mistake")
    take(vault, wrong + LI, 31, "/second")
    assert stands(vault, batch)["Eve Fox"] == ("blocked", "roster_mistake")
    assert people(vault)["NW-4"].name == "Siobhan O'Connor"
    assert [one.kind for one in open_questions(vault)] == ["not_here"], "she herself is on no row of this roster"


def test_in_one_corrected_drop_whoever_may_be_meant_waits_too(vault: Vault) -> None:
    batch = take(vault, SIOBHAN + LI)
    assert take(vault, "NW-4,Eve Fox,eve@x.example\n" + LI, 1) == batch
    assert stands(vault, batch) == {
        "Siobhan O'Connor": ("blocked", "who_is_this"), "Eve Fox": ("blocked", "who_is_this"),
        "Li Wei": ("ready", None),
    }  # fmt: skip
    say(vault, "Eve Fox", "The same as Siobhan")
    take(vault, "NW-4,Eve Fox,eve@x.example\n" + LI, 2)
    assert stands(vault, batch) == {"Eve Fox": ("ready", None), "Li Wei": ("ready", None)}


def test_who_is_not_on_the_next_roster_is_asked_about_once_and_stays_until_then(vault: Vault) -> None:
    take(vault, OTHERS + SIOBHAN + LI)
    take(vault, OTHERS + LI, 30, "/second")
    assert people(vault)["NW-4"].status == "active"
    assert len(open_questions(vault)) == 1
    say(vault, "Siobhan", "They were left out")
    take(vault, OTHERS + LI, 60, "/third")
    assert open_questions(vault) == [], "the answer is remembered"
    take(vault, OTHERS + SIOBHAN + LI, 90, "/fourth")
    take(vault, OTHERS + SIOBHAN, 120, "/fifth")
    say(vault, "Li Wei", "They have left")
    assert people(vault)["NW-5"].status == "left"


@pytest.mark.parametrize("rows", ["NW-77,Joe Jay,joe@x.example\n", ""])
def test_a_roster_of_the_joiners_alone_makes_nobody_missing(vault: Vault, rows: str) -> None:
    take(vault, OTHERS + SIOBHAN + LI)
    take(vault, rows + "NW-78,Kim Low,kim@x.example\n", 30, "/joiners")
    assert open_questions(vault) == []


def test_an_answer_that_is_none_and_a_second_answer_are_refused(vault: Vault) -> None:
    take(vault, SIOBHAN)
    take(vault, "NW-4,Eve Fox,eve@x.example\n", 30, "/second")
    [asked] = [one for one in open_questions(vault) if one.kind == "who_is_this"]
    with pytest.raises(BadAnswer, match="mistake"):
        answer_question(vault, asked.id, "same:p000", "Hannah", NOW)
    answer_question(vault, asked.id, "mistake", "Hannah", NOW)
    with pytest.raises(BadAnswer, match="answered already"):
        answer_question(vault, asked.id, "another", "Otto", NOW)
    with vault.reading() as session:
        kept = session.get_one(Question, asked.id)
        assert (kept.answer, kept.by) == ("mistake", "Hannah")
        assert "Eve" not in repr((kept, session.exec(select(AuditEntry)).all())), "no name but in the people's records"


def test_a_withdrawal_counts_when_the_register_is_uploaded(vault: Vault) -> None:
    take(vault, SIOBHAN + LI)
    siobhan = people(vault)["NW-4"].id
    vault.permit(siobhan, now=NOW)
    roster = read_roster((HEAD + SIOBHAN + LI).encode(), "r.csv")
    given = (
        b"Employee ID,Purpose,Given at,Withdrawn at\nNW-4,headshot,2026-10-01,2026-11-20\nNW-5,headshot,2026-10-01,\n"
    )
    assert withdraw_at_once(vault, roster, read_consents(given, "c.csv"), NOW) == 1
    with pytest.raises(NoConsent, match="consent_withdrawn"):
        vault.permit(siobhan, now=NOW)
    vault.permit(people(vault)["NW-5"].id, now=NOW)
    assert withdraw_at_once(vault, roster, read_consents(given, "c.csv"), NOW) == 0


def test_names_and_rosters_are_compared_as_people_would() -> None:
    assert same_name("Keller, Anna", "Anna Keller")
    assert same_name("José Núñez", "Jose Nunez")
    assert not same_name("Anna Keller", "Anna Kaiser")
    assert not same_name("Anna", "Anna Keller")
    assert not same_name("", "")
    assert is_last_roster("abcd", "abc")
    assert is_last_roster("abcd", "ab")
    assert not is_last_roster("abcd", "xyz")
    assert not is_last_roster("abcd", "axyz")


@pytest.mark.parametrize(
    ("known", "table", "is_theirs"),
    [
        (("Ann Lee", ""), "Employee ID,Name\n1,Ann Lee\n", True),
        (("Ann Lee", ""), "Employee ID,Name\n1,Bob Roe\n", False),  # a list without addresses
        (("", "ann@x.example"), "Employee ID,Work Email\n1,ann@x.example\n", True),
        (("", "ann@x.example"), "Employee ID,Work Email\n1,bob@x.example\n", False),  # or without names
        (("Ann Lee", ""), "Employee ID,Work Email\n1,bob@x.example\n", False),
        (("Ann Lee", "ann@x.example"), "Employee ID,Name\n1,Bob Roe\n", False),
        (("", ""), "Employee ID,Name\n1,Bob Roe\n", True),
    ],
)
def test_a_number_is_not_believed_against_a_name_or_an_address(
    known: tuple[str, str], table: str, is_theirs: bool
) -> None:
    [row] = read_roster(table.encode(), "r.csv").rows
    whose = KnownPeople([Called("p1", "1", *known)], []).whose(row, {})
    assert whose.person == ("p1" if is_theirs else None)
    assert [one.person for one in whose.candidates] == ([] if is_theirs else ["p1"])


def approve(vault: Vault, batch: str, number: str, kit: str = "harbour") -> None:
    """A picture of this person, approved under the consent that stands."""
    who = people(vault)[number]
    with vault.session() as session:
        stands = col(Consent.employee_id) == who.id, col(Consent.withdrawn_at).is_(None)
        [consent] = session.exec(select(Consent.id).where(*stands))
        digest = f"{kit} picture of {number}"
        session.add(
            Headshot(digest=digest, employee_id=who.id, kit=kit, kit_digest="k", shot=0, seed=1, created_at=NOW)
        )
        session.add(
            Decision(id=f"d{digest}", employee_id=who.id, headshot_digest=digest, batch_id=batch, kit=kit, note="nice",
                     verdict="approve", identity=who.identity, consent_id=consent, by="Otto", at=NOW)
        )  # fmt: skip


def approved(vault: Vault, number: str, kit: str = "harbour") -> str | None:
    who = people(vault)[number].id
    with vault.reading() as session:
        return reviews_of(session, {who: kit})[who].approved


def pictures(vault: Vault, number: str) -> dict[str, str]:
    """Kit → what the records say of this person's picture."""
    who = people(vault)[number].id
    with vault.reading() as session:
        return {shot.kit: shot.state for shot in session.exec(select(Headshot).where(Headshot.employee_id == who))}


def test_a_merger_changes_every_address_and_nothing_is_asked_or_approved_again(vault: Vault) -> None:
    batch = take(vault, OTHERS + SIOBHAN + LI)
    approve(vault, batch, "NW-4")
    take(vault, (OTHERS + SIOBHAN + LI).replace("@x.example", "@merged.example"), 1)
    assert open_questions(vault) == []
    assert people(vault)["NW-4"].email == "siobhan@merged.example"
    assert approved(vault, "NW-4") == "harbour picture of NW-4"


def test_whoever_says_that_a_new_number_is_the_same_person_says_so_of_their_picture(vault: Vault) -> None:
    """Nobody looks at two thousand pictures again because a merger changed every number."""
    batch = take(vault, OTHERS + SIOBHAN + LI)
    for kit in ("harbour", "signal"):
        approve(vault, batch, "NW-4", kit)
    take(vault, OTHERS + SIOBHAN.replace("NW-4", "M-4") + LI, 1)
    assert approved(vault, "NW-4") is not None, "and until then they wait (tasks.roster.questions.waiting_people)"
    say(vault, "M-4", "The same as Siobhan")
    assert approved(vault, "M-4") == "harbour picture of NW-4"
    assert approved(vault, "M-4", "signal") == "signal picture of NW-4"
    assert pictures(vault, "M-4") == {"harbour": "approved", "signal": "approved"}
    with vault.reading() as session:
        rows = session.exec(select(Decision).where(Decision.kit == "harbour").order_by(col(Decision.at))).all()
        said = {row.by: row for row in rows}
        assert (said["Otto"].identity, said["Hannah"].identity) == (0, 1), "decisions are added, never edited"
        assert (said["Hannah"].note, said["Hannah"].author) == ("", "")
        logged = session.exec(select(AuditEntry).where(AuditEntry.action == "decide")).all()
    assert {row.result["decision"] for row in logged} >= {said["Hannah"].id}
    # What somebody did not say so of ends with the name: there is only one word about it, and it is older.
    take(vault, OTHERS + "M-4,Siobhan Li,siobhan@x.example\n" + LI, 2)
    assert people(vault)["M-4"].identity == 2
    assert approved(vault, "M-4") is None


def test_an_approval_that_did_not_count_is_not_carried_over(vault: Vault) -> None:
    batch = take(vault, OTHERS + SIOBHAN + LI)
    approve(vault, batch, "NW-4")
    with vault.session() as session:
        session.add(
            Decision(id="redo", employee_id=people(vault)["NW-4"].id, batch_id=batch, kit="harbour", verdict="redo",
                     by="Otto", at=NOW + timedelta(hours=1))
        )  # fmt: skip
    take(vault, OTHERS + SIOBHAN.replace("NW-4", "M-4") + LI, 1)
    say(vault, "M-4", "The same as Siobhan")
    assert approved(vault, "M-4") is None


def test_an_objection_to_a_line_in_question_is_the_persons(vault: Vault) -> None:
    """It was kept under a record that the answer removes."""
    approve(vault, take(vault, OTHERS + SIOBHAN + LI), "NW-4")
    batch = take(vault, OTHERS + SIOBHAN.replace("NW-4", "M-4") + LI, 1)
    [question] = open_questions(vault)
    with vault.session() as session:
        record = session.get_one(Question, question.id).employee_id
        session.add(
            Decision(id="no", employee_id=record, batch_id=batch, kit="harbour", verdict="opt_out", by="Otto", at=NOW)
        )
    say(vault, "M-4", "The same as Siobhan")
    siobhan = people(vault)["M-4"]
    with vault.reading() as session:
        assert session.get_one(Decision, "no").employee_id == siobhan.id
    assert siobhan.generation is False
    assert pictures(vault, "M-4") == {"harbour": "rejected"}


def test_what_a_merger_asks_by_the_hundred_is_answered_at_once(vault: Vault) -> None:
    """New numbers for all, in one answer; what is not plain stays a question of its own."""
    batch = take(vault, OTHERS + SIOBHAN + LI)
    approve(vault, batch, "NW-5")
    known = [f"same:{people(vault)[number].id}" for number in ("NW-1", "NW-2", "NW-5")]
    moved = (OTHERS + LI).replace("NW-", "M-") + "NW-4,Somebody Else,else@x.example\n"
    before = {one.name: one.id for one in people(vault).values()}
    take(vault, moved, 1)
    shown = new_numbers(vault)
    assert sorted(one.answer for one in shown) == sorted(known)
    assert [one.words for one in shown][-1] == "Li Wei, NW-5: number M-5"
    with pytest.raises(BadAnswer, match="others by now"):
        answer_new_numbers(vault, shown[:2], "Hannah", NOW)
    assert len(open_questions(vault)) >= 4
    assert answer_new_numbers(vault, shown, "Hannah", NOW) == 3
    assert new_numbers(vault) == []
    with vault.reading() as session:
        said = session.exec(select(Question.answer, Question.by).where(Question.by != "")).all()
        assert said == [("same", "Hannah")] * 3, "each is an answer of its own"
    assert {number for number, one in people(vault).items() if one.id in before.values()} >= {"M-1", "M-2", "M-5"}
    assert approved(vault, "M-5") == "harbour picture of NW-5"
    left = [one for one in open_questions(vault) if one.kind == "who_is_this"]
    assert len(left) == 1, "of whom the number is somebody's is asked by itself"
    assert "Somebody Else" in left[0].words


def test_two_lines_that_mean_one_person_are_not_plain(vault: Vault) -> None:
    take(vault, OTHERS + LI)
    take(vault, OTHERS + LI.replace("NW-5", "M-5") + LI.replace("NW-5", "M-6").replace("li@", "wei@"), 1)
    assert new_numbers(vault) == []


def test_a_mergers_answer_says_first_what_it_will_do_to_whom_and_asks_in_the_shell(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import cli

    def shell(*words: str, typed: str = "") -> tuple[int, str]:
        home = ["--home", str(vault.settings.home)]
        result = CliRunner().invoke(cli.app, ["answer", "new-numbers", *words, *home], input=typed)
        return result.exit_code, " ".join(result.output.split())

    take(vault, OTHERS + SIOBHAN + LI)
    assert shell() == (1, "Nobody who is known has a new number.")
    married = "M-4,Siobhan Li,siobhan@x.example\n"
    take(vault, OTHERS + married + LI.replace("NW-5", "M-5"), 1)
    lines = "Li Wei, NW-5: number M-5 Siobhan O'Connor, NW-4: number M-4, now Siobhan Li"
    code, said = shell(typed="n\n")
    assert (code, said.startswith(lines), said.endswith("Nothing was answered.")) == (1, True, True)
    assert shell("--people", "3")[0] == 1
    assert len(open_questions(vault)) == 2
    code, said = shell("--people", "2", "--by", "Hannah")
    assert (code, said.startswith(lines)) == (0, True)
    assert {"M-4", "M-5"} <= people(vault).keys()
    assert open_questions(vault) == []


def test_questions_are_read_and_answered_in_the_shell(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import cli

    def shell(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli.app, [*words, "--home", str(vault.settings.home)])
        return result.exit_code, " ".join(result.output.split())

    assert shell("questions") == (0, "No open questions.")
    take(vault, OTHERS + SIOBHAN + LI)
    take(vault, OTHERS + SIOBHAN.replace("NW-4", "M-4") + LI, 1)
    [asked] = open_questions(vault)
    code, said = shell("questions")
    assert code == 0
    assert asked.id in said
    assert "The same as Siobhan O'Connor, NW-4" in said
    assert "1 open question" in said
    assert shell("answer", asked.id, "perhaps")[0] == 1
    assert shell("answer", asked.id, asked.choices[0].answer, "--by", "Hannah")[0] == 0
    assert people(vault)["M-4"].name == "Siobhan O'Connor"
    with vault.reading() as session:
        assert session.get_one(Question, asked.id).by == "Hannah"
    assert shell("answer", asked.id, asked.choices[0].answer)[0] == 1, "once"


def test_a_name_is_compared_without_accents_and_with_the_letters_of_its_own_script() -> None:
    assert name_key("Zoë O’Brien Müller") == name_key("MULLER zoe OBrien") != name_key("Zoe OBrien")
    assert name_key("かがみ さくら") != name_key("かかみ さくら"), "が is not か"
