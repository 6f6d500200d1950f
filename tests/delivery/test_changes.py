"""What a delivery changes where it goes: whose files come, stay and go, and when a person is asked first."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from tasks.delivery.changes import Changes, Lying, compare, say_reasons
from tasks.delivery.handing_over import NothingToDeliver, TooManyGo
from tasks.delivery.places import open_destination
from tasks.delivery.sitters import newest_approved
from tasks.delivery.task import deliver_pack
from tasks.headshots.kit import BrandKit
from tasks.vault.batches import load_batch
from tasks.vault.records import AuditEntry, Batch, Consent, Decision, Employee, Headshot, Seat, Showing
from tasks.vault.store import Vault
from tests.delivery.conftest import build_pack, employee_id

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)
ADA, BOB, CY = "p1", "p2", "p3"


def lying(employee: str, path: str, headshot: str = "h", batch: str = "b1", output: str = "slack") -> Lying:
    return Lying(employee, batch, output, path, headshot, {})


def change(
    earlier: list[Lying],
    coming: dict[str, tuple[str, str]],
    gone: dict[str, str] | None = None,
    absent: dict[str, str] | None = None,
) -> Changes:
    return compare(earlier, coming, gone or {}, absent or {}, "b1", ["slack"])


def test_everybody_is_new_changed_as_before_or_removed() -> None:
    found = change(
        [lying(ADA, "slack/1.jpg", "old"), lying(BOB, "slack/2.jpg"), lying(CY, "slack/3.jpg")],
        {"slack/1.jpg": (ADA, "new"), "slack/2.jpg": (BOB, "h"), "slack/4.jpg": ("p4", "h4")},
        absent={CY: "not_approved"},
    )
    assert (found.new, found.changed, found.unchanged) == (("p4",), (ADA,), (BOB,))
    assert found.removed == ((CY, "not_approved"),)
    assert [one.path for one in found.going] == ["slack/3.jpg"]


def test_another_batchs_files_stay_but_for_who_is_gone() -> None:
    """A delivery of one new joiner took everybody else's pictures out of the directory's folder."""
    earlier = [lying(ADA, "slack/1.jpg", batch="b0"), lying(BOB, "slack/2.jpg", batch="b0")]
    found = change(earlier, {"slack/3.jpg": (CY, "h")}, gone={BOB: "consent_withdrawn"}, absent={ADA: "not_approved"})
    assert [one.employee for one in found.staying] == [ADA]
    assert found.removed == ((BOB, "consent_withdrawn"),)


def test_a_size_that_was_not_asked_for_stays_while_its_picture_counts() -> None:
    earlier = [lying(ADA, "m365/1.jpg", "h", output="m365"), lying(BOB, "m365/2.jpg", "old", output="m365")]
    found = change(earlier, {"slack/1.jpg": (ADA, "h"), "slack/2.jpg": (BOB, "new")})
    assert [one.employee for one in found.staying] == [ADA]
    assert [(one.employee, one.why) for one in found.going] == [(BOB, "replaced")]
    assert found.removed == ()


def test_a_file_under_an_older_name_is_replaced_and_its_person_not_removed() -> None:
    found = change([lying(ADA, "slack/old.jpg")], {"slack/new.jpg": (ADA, "h")})
    assert [(one.path, one.why) for one in found.going] == [("slack/old.jpg", "replaced")]
    assert (found.removed, found.must_ask) == ((), False)


def test_who_loses_a_name_to_somebody_else_is_named() -> None:
    found = change([lying(ADA, "slack/7.jpg")], {"slack/7.jpg": (BOB, "h")})
    assert found.removed == ((ADA, "name_given_away"),)
    assert found.new == (BOB,)


@pytest.mark.parametrize(("there", "going", "asks"), [(10, 1, False), (10, 2, True), (9, 1, True), (20, 2, False)])
def test_more_than_a_tenth_is_asked_about(there: int, going: int, asks: bool) -> None:
    earlier = [lying(f"p{i}", f"slack/{i}.jpg") for i in range(there)]
    coming = {f"slack/{i}.jpg": (f"p{i}", "h") for i in range(going, there)}
    assert change(earlier, coming, absent={f"p{i}": "not_approved" for i in range(going)}).must_ask == asks


def test_reasons_are_counted_by_people_and_name_nobody() -> None:
    earlier = [lying(ADA, "slack/1.jpg"), lying(ADA, "m365/1.jpg"), lying(BOB, "slack/2.jpg")]
    found = change(earlier, {}, gone={ADA: "consent_withdrawn"}, absent={BOB: "not_approved"})
    assert say_reasons(found.going) == "1 person: consent withdrawn, 1 person: no approved picture"


# -- against a vault


def rows(folder: Path) -> list[tuple[str, str, str]]:
    text = (folder / "changes.csv").read_text("utf-8-sig")
    return [(row["Employee ID"], row["Change"], row["Why"]) for row in csv.DictReader(io.StringIO(text))]


def edit(vault: Vault, kind: type[Any], key: object, **values: object) -> None:
    with vault.session() as session:
        row = session.get_one(kind, key)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


def withdraw_and_agree_again(vault: Vault, number: str) -> None:
    edit(vault, Consent, f"c{number}", withdrawn_at=NOW)
    with vault.session() as session:
        session.add(Consent(id=f"again{number}", employee_id=employee_id(number), given_at=NOW + timedelta(hours=1)))


SPOILT: list[tuple[Callable[[Vault], None], str]] = [
    (lambda v: edit(v, Seat, ("b1", employee_id("007")), state="failed", reason="interrupted"), "interrupted"),
    (lambda v: edit(v, Seat, ("b1", employee_id("007")), state="trained"), "not_done"),
    (lambda v: edit(v, Employee, employee_id("007"), name="Somebody Else", identity=1), "not_approved"),
    (lambda v: withdraw_and_agree_again(v, "007"), "not_approved"),
    (lambda v: edit(v, Employee, employee_id("007"), status="left"), "left_company"),
    (lambda v: v.delete(f"people/{employee_id('007')}/headshots/h007-0.png"), "picture_missing"),
]


@pytest.mark.parametrize(("spoil", "why"), SPOILT, ids=[why for _, why in SPOILT])
def test_delivery_asks_instead_of_trusting(
    vault: Vault, kit: BrandKit, tmp_path: Path, spoil: Callable[[Vault], None], why: str
) -> None:
    """Seat done, name and number as approved, consent standing since before the approval, picture and person there."""
    out = tmp_path / "out"
    assert build_pack(vault, "b1", kit, out, now=NOW).people == 3
    spoil(vault)
    later = build_pack(vault, "b1", kit, out, now=NOW + timedelta(hours=2), may_remove=True)
    assert [one.code for one in later.skipped if one.employee == employee_id("007")] == [why]
    assert not list(out.rglob("007.*"))
    assert later.changes.removed == ((employee_id("007"), why),)
    assert next(row for row in rows(out) if row[1] == "removed")[0] == "007"


def test_an_empty_delivery_is_refused_and_touches_nothing(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    """It emptied the folder that the directory reads, and was "Completed"."""
    out = tmp_path / "out"
    build_pack(vault, "b1", kit, out, now=NOW)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with vault.session() as session:
        for decision in session.exec(select(Decision)):
            session.delete(decision)
    for allowed in (False, True):
        with pytest.raises(NothingToDeliver, match="approve some first"):
            build_pack(vault, "b1", kit, out, now=NOW, may_remove=allowed)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    with pytest.raises(NothingToDeliver):
        build_pack(vault, "b1", kit, tmp_path / "fresh", now=NOW)
    assert not (tmp_path / "fresh").exists()


@pytest.mark.parametrize("name", ["out", "deep/out.zip"])
def test_where_nobody_is_left_to_deliver_the_files_of_who_withdrew_still_go(
    vault: Vault, kit: BrandKit, tmp_path: Path, name: str
) -> None:
    """The last one's pictures stayed until somebody else had one. Of who waits for a new approval nothing goes."""
    out, later = tmp_path / name, NOW + timedelta(hours=1)
    build_pack(vault, "b1", kit, out, now=NOW)
    for number in ("007", "1002"):
        edit(vault, Consent, f"c{number}", withdrawn_at=later)
    with vault.session() as session:
        for decision in session.exec(select(Decision).where(Decision.employee_id == employee_id("1003"))):
            session.delete(decision)
    with pytest.raises(TooManyGo, match="2 people: consent withdrawn"):
        build_pack(vault, "b1", kit, out, now=later)
    manifest = build_pack(vault, "b1", kit, out, now=later, may_remove=True)
    assert dict(manifest.changes.removed) == {employee_id(who): "consent_withdrawn" for who in ("007", "1002")}
    place = open_destination(str(out))
    listed = place.earlier()
    assert {file.employee for file in listed} == {employee_id("1003")}
    assert all(place.holds(file) for file in listed)
    page = place.read("handover.html")
    assert page is not None
    assert b"consent withdrawn" in page
    place.abandon()
    lying = zipfile.ZipFile(out).namelist() if name.endswith(".zip") else [path.name for path in out.rglob("*.*")]
    assert not [path for path in lying if "007" in path or "1002" in path]
    with vault.reading() as session:
        log = session.exec(select(AuditEntry).where(AuditEntry.action == "delivered")).all()
    assert len(log) == 3, "whoever was not delivered now is not said to be"
    with pytest.raises(NothingToDeliver):
        build_pack(vault, "b1", kit, out, now=later, may_remove=True)


def test_it_stops_and_asks_before_it_takes_much_away(
    vault: Vault, kit: BrandKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLCALL_HOME", str(vault.settings.home))
    out = str(tmp_path / "out")
    first = deliver_pack.fn("b1", out, "", [], at_shell=True)
    assert (first["new"], first["removed"]) == (3, 0)
    edit(vault, Employee, employee_id("1003"), status="left")
    before = {path: path.read_bytes() for path in Path(out).rglob("*") if path.is_file()}
    with pytest.raises(
        TooManyGo, match=r"of the \d+ files there would be taken away \(1 person: left the company\)"
    ) as asks:
        deliver_pack.fn("b1", out, "", [], at_shell=True)
    assert "Sam" not in str(asks.value)
    assert "1003" not in str(asks.value)  # Prefect gets numbers of people, never people's numbers
    assert {path: path.read_bytes() for path in Path(out).rglob("*") if path.is_file()} == before
    noted = load_batch(vault, "b1").facts["delivery_asks"]
    assert noted["removed"] == [[employee_id("1003"), "left_company"]]
    done = deliver_pack.fn("b1", out, "", [], True, at_shell=True)
    assert (done["removed"], done["unchanged"], done["why"]) == (1, 2, "1 person: left the company")
    assert not list(Path(out).rglob("1003.*"))
    assert load_batch(vault, "b1").facts["delivery_asks"] == {}
    assert rows(Path(out)) == [("1003", "removed", "left the company")]


def test_on_the_command_line_it_shows_whose_by_name_and_asks(
    vault: Vault, kit: BrandKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import cli

    monkeypatch.setenv("ROLLCALL_HOME", str(vault.settings.home))

    def deliver(*words: str, answer: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(cli.app, ["deliver", "b1", "--to", str(tmp_path / "out"), *words], input=answer)
        return result.exit_code, " ".join(result.output.split())

    assert "3 people in" in deliver()[1]
    edit(vault, Employee, employee_id("1003"), status="left")
    code, said = deliver(answer="n\n")
    assert code == 1
    assert "1003 Sam Lee: left the company" in said
    assert list((tmp_path / "out").rglob("1003.*"))
    code, said = deliver(answer="y\n")
    assert (code, "removed: 1 (1 person: left the company)" in said) == (0, True)
    assert not list((tmp_path / "out").rglob("1003.*"))
    result = CliRunner().invoke(cli.app, ["deliver", "b000", "--to", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "There is no such batch" in result.output


def second_batch(vault: Vault, kit: BrandKit) -> None:
    """A batch of one new joiner, approved in it; everybody else of the company has a seat in the first."""
    from tests.delivery.conftest import add_headshot

    with vault.session() as session:
        session.add(Batch(id="b2", order_key="b2", created_at=NOW, drop="/d", kit=kit.name, quality="draft", base="e"))
        session.add(Employee(id=employee_id("2001"), number="2001", name="New Joiner", updated_at=NOW))
        session.add(Consent(id="c2001", employee_id=employee_id("2001"), given_at=NOW))
        session.add(Seat(batch_id="b2", employee_id=employee_id("2001"), state="done"))
    digest = add_headshot(vault, kit, "2001", 7, "generated", "approved")
    with vault.session() as session:
        session.delete(session.get_one(Showing, ("b1", digest)))
        session.add(Showing(batch_id="b2", headshot_digest=digest, employee_id=employee_id("2001")))
        decision = session.get_one(Decision, f"d{digest}")
        decision.batch_id, decision.at = "b2", NOW
        session.add(decision)


def test_a_batch_of_joiners_leaves_everybody_elses_files_where_they_are(
    vault: Vault, kit: BrandKit, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = build_pack(vault, "b1", kit, out, now=NOW)
    second_batch(vault, kit)
    assert newest_approved(vault) == "b2"
    second = build_pack(vault, "b2", kit, out, now=NOW)
    assert (second.people, second.retired) == (1, 0)
    assert {file.number for file in second.files} == {
        "007",
        "1002",
        "1003",
        "2001",
    }  # one manifest of all that lies there
    assert rows(out) == [("2001", "new", "")]
    listed = list(csv.DictReader(io.StringIO((out / "manifest.csv").read_text("utf-8-sig"))))
    assert {row["Employee ID"] for row in listed} == {"007", "1002", "1003", "2001"}

    edit(vault, Consent, "c1003", withdrawn_at=NOW)
    third = build_pack(vault, "b2", kit, out, now=NOW, may_remove=True)
    assert third.changes.removed == ((employee_id("1003"), "consent_withdrawn"),)
    assert not list(out.rglob("1003.*"))
    assert len(third.files) == len(first.files)

    again = build_pack(vault, "b1", kit, out, now=NOW)  # the older batch after the newer one
    assert {file.number for file in again.files} == {"007", "1002", "2001"}
    assert again.retired == 0


def test_of_who_was_forgotten_no_name_is_written(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_pack(vault, "b1", kit, out, now=NOW)
    edit(vault, Employee, employee_id("1003"), state="erasing")
    build_pack(vault, "b1", kit, out, now=NOW, may_remove=True)
    assert rows(out) == [("", "removed", "forgotten")]
    assert not list(out.rglob("1003.*"))
    for name in ("manifest.csv", "changes.csv", "manifest.json"):
        text = (out / name).read_text("utf-8-sig").replace(employee_id("1003"), "")
        assert not re.search(r"(?<![0-9a-f])1003(?![0-9a-f])", text), "but for digests, in which any digits may stand"


def test_a_picture_approved_anew_is_a_change(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_pack(vault, "b1", kit, out, now=NOW)
    with vault.session() as session:
        shot, given = session.get_one(Headshot, "h007-0"), session.get_one(Decision, "dh007-0")
        session.add(Headshot(**{**shot.model_dump(), "digest": "h007-9"}))
        session.add(Decision(**{**given.model_dump(), "id": "d9", "headshot_digest": "h007-9", "at": NOW}))
    again = build_pack(vault, "b1", kit, out, now=NOW)
    assert (again.changes.changed, again.retired) == ((employee_id("007"),), 0)
    assert rows(out) == [("007", "changed", "another picture")]
