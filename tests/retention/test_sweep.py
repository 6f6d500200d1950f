"""The nightly sweep: what is due goes, what is not stays, a wrong rule stops it, and orphans are found both ways."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlmodel import col, select

from tasks.retention import reserve
from tasks.retention.erase import forget
from tasks.retention.forecast import forecast
from tasks.retention.holds import end_holds, hold_person, holds_of, must_not_be_held
from tasks.retention.inventory import take_inventory
from tasks.retention.receipts import Receipt
from tasks.retention.rules import load_rules
from tasks.retention.sweep import MassDeletion, SweepRunning, _alone, run_retention
from tasks.roster.open_drop import uploads
from tasks.vault import audit_log
from tasks.vault.failures import NoConsent, NotLikeThis, Unreadable
from tasks.vault.records import Adapter, Artifact, Batch, Consent, Decision, Employee, Erasure, Headshot, Selfie
from tasks.vault.review import standing_opt_outs
from tasks.vault.settings import Settings
from tasks.vault.signing import open_signer
from tasks.vault.store import Vault, open_vault
from tasks.vault.verify_audit import verify_receipts

DAY = timedelta(days=1)


def _approve(vault: Vault, who: str, at: datetime) -> None:
    with vault.session() as session:
        session.add(
            Decision(id=f"ok{who}", employee_id=who, batch_id="b1", headshot_digest=f"h{who}", kit="k",
                     verdict="approve", consent_id=f"c{who}", by="hr", at=at)
        )  # fmt: skip
        session.get_one(Headshot, f"h{who}").state = "approved"


def _keys(vault: Vault, who: str) -> list[str]:
    return [key.split("/")[2] for key in vault.blobs.keys(f"people/{who}/")]


def test_a_report_that_lost_photos_is_written_again(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    """Approved pictures lie in the same folder as the photos that had to go: the report shows them again."""
    _approve(vault, "p1", kit.NOW + timedelta(hours=1))
    written: list[str] = []

    def rewrite(vault: Vault, batch: str) -> None:
        assert not (settings.reports / batch / "people" / "p1").exists(), "what is due goes first"
        written.append(batch)

    run_retention(settings, kit.NOW + 8 * DAY, rewrite_report=rewrite)
    assert written == ["b1"]
    run_retention(settings, kit.NOW + 9 * DAY, rewrite_report=rewrite)
    assert written == ["b1"]


def test_photos_go_a_week_after_approval_and_the_picture_stays(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    _approve(vault, "p1", kit.NOW + DAY)
    assert run_retention(settings, kit.NOW + 8 * DAY - timedelta(seconds=1)) == []
    receipts = run_retention(settings, kit.NOW + 8 * DAY)
    assert [(one.person, one.scope, one.state, one.removed) for one in receipts] == [
        ("p1", "items", "final", {"selfies": 1, "adapter": 1})
    ]
    assert _keys(vault, "p1") == ["headshots", "thumbnails"]
    assert _keys(vault, "p2") == ["adapter", "headshots", "selfies", "thumbnails"]
    with vault.reading() as session:
        assert session.get(Selfie, "sp1") is None
        assert session.get(Adapter, "ap1") is None
        assert session.get(Headshot, "hp1") is not None
        assert session.get(Selfie, "sp2") is not None
    assert not (settings.reports / "b1" / "people" / "p1").exists(), "the report's copies of the photos go too"
    assert run_retention(settings, kit.NOW + 9 * DAY) == []


def test_expired_kinds_are_shredded_and_the_others_still_open(tmp_path: Path, kit: ModuleType) -> None:
    settings = Settings(home=tmp_path / "home")
    with open_vault(settings) as vault:
        kit.photograph(vault, kit.enrol(vault, "p1"))
        _approve(vault, "p1", kit.NOW + timedelta(hours=1))
        backup = vault.blobs.get("people/p1/selfies/1.jpg")
        receipt = run_retention(settings, kit.NOW + 8 * DAY)[0]
        assert receipt.level == "cryptographic"
        assert vault.keys.holders()["p1"] == {"headshots", "thumbnails"}
        permit = vault.permit("p1", now=kit.NOW)
        assert vault.read(permit, "people/p1/headshots/h.png") == kit.canary("p1").pixels
        vault.blobs.put("people/p1/selfies/1.jpg", [backup])  # somebody restores a backup
        with pytest.raises(Unreadable):
            vault.read(permit, "people/p1/selfies/1.jpg")


def test_everything_goes_in_time(settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    assert len(run_retention(settings, kit.NOW + 30 * DAY)) == 3
    assert vault.blobs.remains("") == []
    with vault.reading() as session:
        assert session.exec(select(Artifact)).all() == []
        assert session.exec(select(Headshot)).all() == []
        assert session.get_one(Employee, "p1").name, "the person is still employed"


def _say(vault: Vault, verdict: str, at: datetime, who: str = "p1") -> None:
    with vault.session() as session:
        decision = Decision(id=f"{verdict}{at}", employee_id=who, batch_id="b1", verdict=verdict, by="hr", at=at)
        session.add(decision)
        session.get_one(Employee, who).generation = verdict != "opt_out"  # as the desk does it


def test_who_opts_out_loses_what_was_learnt_and_drawn_at_the_next_sweep(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    """And nothing else: their photos may still be retouched, and they are not forgotten."""
    permit = vault.permit("p1", now=kit.NOW)
    original = vault.write(permit, "originals", "o.png", b"drawn", now=kit.NOW)
    retouched = vault.write(permit, "headshots", "f.png", b"retouched", now=kit.NOW)
    vault.write(permit, "checkpoints", "half.bin", b"half learnt", now=kit.NOW)
    with vault.session() as session:
        session.get_one(Headshot, "hp1").original_key = original
        session.add(Headshot(digest="f", employee_id="p1", kit="k", kit_digest="d", shot=1, seed=1,
                             lane="faithful", finished_key=retouched, created_at=kit.NOW))  # fmt: skip
    _say(vault, "opt_out", kit.NOW + timedelta(hours=1))
    receipts = run_retention(settings, kit.NOW + DAY)
    assert [(one.person, one.reason, one.state, one.removed) for one in receipts] == [
        ("p1", "opted_out", "final",
         {"adapter": 1, "checkpoints": 1, "headshots": 1, "originals": 1, "thumbnails": 1})
    ]  # fmt: skip
    assert list(vault.blobs.keys("people/p1/")) == [retouched, "people/p1/selfies/1.jpg"]
    with vault.reading() as session:
        assert session.get(Adapter, "ap1") is None
        assert session.get(Headshot, "hp1") is None
        assert session.get(Headshot, "f") is not None
    assert "does not want generated pictures" in (settings.receipts / f"{receipts[0].id}.html").read_text()
    assert kit.fingerprint(vault, company["p2"])
    assert run_retention(settings, kit.NOW + 2 * DAY) == []


def test_an_approved_picture_outlives_an_opt_out_but_not_its_original(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    original = vault.write(vault.permit("p1", now=kit.NOW), "originals", "o.png", b"drawn", now=kit.NOW)
    _approve(vault, "p1", kit.NOW)
    with vault.session() as session:
        session.get_one(Headshot, "hp1").original_key = original
        session.get_one(Employee, "p1").generation = False  # the roster says so; there is no decision
    assert run_retention(settings, kit.NOW)[0].removed == {"adapter": 1, "originals": 1}
    assert _keys(vault, "p1") == ["headshots", "selfies", "thumbnails"]


def test_an_opt_out_that_was_taken_back_deletes_nothing(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    _say(vault, "opt_out", kit.NOW + timedelta(minutes=1))
    _say(vault, "undo", kit.NOW + timedelta(minutes=2))
    assert run_retention(settings, kit.NOW + DAY) == []


def test_an_opt_out_outlives_the_batch_it_was_said_in(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    kit.photograph(vault, kit.enrol(vault, "p1"))
    kit.photograph(vault, kit.enrol(vault, "p2"))
    _say(vault, "opt_out", kit.NOW)
    _say(vault, "approve", kit.NOW + DAY, "p2")
    run_retention(settings, kit.NOW + 366 * DAY)
    with vault.reading() as session:
        assert session.get(Batch, "b1") is None
        assert [(one.employee_id, one.verdict) for one in session.exec(select(Decision))] == [("p1", "opt_out")]
        assert standing_opt_outs(session).keys() == {"p1"}


def test_a_roster_on_which_everybody_opts_out_stops_the_sweep(
    settings: Settings, vault: Vault, kit: ModuleType
) -> None:
    for number in range(26):
        with vault.session() as session:
            session.add(Employee(id=f"q{number}", number=str(number), generation=False, updated_at=kit.NOW))
            session.add(Consent(id=f"c{number}", employee_id=f"q{number}", given_at=kit.NOW))
        vault.write(vault.permit(f"q{number}", now=kit.NOW), "adapter", "a", b"x", now=kit.NOW)
    with pytest.raises(MassDeletion, match="26 people would have opted out at once"):
        run_retention(settings, kit.NOW)
    assert len(run_retention(settings, kit.NOW, mass_deletion=26)) == 26


def test_a_month_of_outage_is_caught_up_in_one_run(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    for number in range(3):
        kit.photograph(vault, kit.enrol(vault, f"p{number}"), kit.NOW + number * 5 * DAY)
    kit.withdraw(vault, "p0")
    receipts = run_retention(settings, kit.NOW + 60 * DAY)
    assert len(receipts) == 3
    assert vault.blobs.remains("") == []


def test_withdrawn_consent_means_forget(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    kit.withdraw(vault, "p1", kit.NOW + DAY)
    assert run_retention(settings, kit.NOW + 3.9 * DAY) == [], "a slip can be noticed meanwhile"
    receipts = run_retention(settings, kit.NOW + 4 * DAY)
    assert [(one.person, one.reason, one.state) for one in receipts] == [("p1", "withdrawn", "provisional")]
    assert kit.hits([settings.home], company["p1"]) == []
    final = run_retention(settings, kit.NOW + 5 * DAY)
    assert [(one.person, one.state) for one in final] == [("p1", "final")]


def test_the_wait_begins_when_a_withdrawal_became_known_not_on_the_day_it_bears(
    settings: Settings, vault: Vault, kit: ModuleType
) -> None:
    """A date pasted one row too low was an erasure that nobody could call back the next night."""
    kit.enrol(vault, "p1")
    kit.withdraw(vault, "p1", kit.NOW - 20 * DAY)
    vault.audit("consent_withdrawn", "p1", "cp1", actor="roster", now=kit.NOW)
    assert run_retention(settings, kit.NOW + 2.9 * DAY) == []
    assert [one.reason for one in run_retention(settings, kit.NOW + 3 * DAY)] == ["withdrawn"]


def test_who_is_held_at_the_desk_is_not_forgotten_until_the_hold_ends(
    settings: Settings, vault: Vault, kit: ModuleType
) -> None:
    kit.enrol(vault, "p1")
    kit.withdraw(vault, "p1", kit.NOW - 9 * DAY)
    hold_person(vault, "p1", "court", None, "Ada", kit.NOW)
    assert run_retention(settings, kit.NOW + DAY) == []
    with pytest.raises(NotLikeThis, match="end it first"):
        must_not_be_held(vault, load_rules(), "p1", kit.NOW + DAY)
    assert end_holds(vault, "p1", kit.NOW + DAY) == 1
    assert end_holds(vault, "p1", kit.NOW + DAY) == 0
    assert [one.reason for one in run_retention(settings, kit.NOW + 2 * DAY)] == ["withdrawn"]
    with pytest.raises(NotLikeThis, match="nothing left to hold"):
        hold_person(vault, "p1", "court", None, "Ada", kit.NOW + 2 * DAY)


def test_a_hold_with_a_day_stands_through_it_and_a_past_or_nameless_one_is_refused(
    settings: Settings, vault: Vault, kit: ModuleType
) -> None:
    kit.enrol(vault, "p1")
    with pytest.raises(NotLikeThis):
        hold_person(vault, "p1", "court", (kit.NOW - DAY).date(), "Ada", kit.NOW)
    with pytest.raises(NotLikeThis):
        hold_person(vault, "p1", "because", None, "Ada", kit.NOW)
    hold_person(vault, "p1", "claim", (kit.NOW + 5 * DAY).date(), "Ada", kit.NOW)
    assert [one.person for one in holds_of(vault, load_rules(), kit.NOW + 5 * DAY)] == ["p1"]
    assert holds_of(vault, load_rules(), kit.NOW + 8 * DAY) == []


def test_a_hold_until_the_last_day_of_the_calendar_stands_for_ever_and_stops_nothing(
    settings: Settings, vault: Vault, kit: ModuleType
) -> None:
    """31.12.9999 is how many write it; the day ends beyond every calendar."""
    kit.enrol(vault, "p1")
    hold_person(vault, "p1", "court", date.max, "Ada", kit.NOW)
    assert run_retention(settings, kit.NOW + DAY) == []
    assert [one.until for one in holds_of(vault, load_rules(), kit.NOW + 400 * DAY)] == [date.max]


def test_leavers_keep_their_picture_for_two_weeks(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    _approve(vault, "p1", kit.NOW)
    with vault.session() as session:
        session.get_one(Employee, "p1").status = "left"
    assert run_retention(settings, kit.NOW + DAY) == []
    with vault.session() as session:  # a later import touches the row: the clock does not start again
        session.get_one(Employee, "p1").updated_at = kit.NOW + 10 * DAY
    assert "headshots" in _keys(vault, "p1")
    assert all(one.scope == "items" for one in run_retention(settings, kit.NOW + 14 * DAY))
    assert [one.reason for one in run_retention(settings, kit.NOW + 15 * DAY)] == ["left"]
    assert kit.hits([settings.home], company["p1"]) == []


def test_whoever_comes_back_is_not_forgotten(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    kit.enrol(vault, "p1", status="left")
    run_retention(settings, kit.NOW)
    with vault.session() as session:
        session.get_one(Employee, "p1").status = "active"
    run_retention(settings, kit.NOW + DAY)
    with vault.session() as session:
        session.get_one(Employee, "p1").status = "left"
    assert run_retention(settings, kit.NOW + 15 * DAY) == []
    assert len(run_retention(settings, kit.NOW + 29 * DAY)) == 1


def test_a_dry_run_changes_nothing(settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    kit.withdraw(vault, "p1")
    before = {path: path.read_bytes() for path in (settings.home / "blobs").rglob("*") if path.is_file()}
    seen = forecast(vault, kit.NOW + 40 * DAY)
    assert {path: path.read_bytes() for path in (settings.home / "blobs").rglob("*") if path.is_file()} == before
    assert [one.person for one in seen.plan.forget] == ["p1"]
    assert {verdict.item.person for verdict in seen.plan.delete} == {"p10", "p2"}
    assert seen.stops_because == ""


def test_a_wrong_roster_stops_the_sweep(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    with vault.session() as session:
        for number in range(40):
            session.add(Employee(id=f"q{number}", number=str(number), status="left", updated_at=kit.NOW))
    run_retention(settings, kit.NOW)
    late = kit.NOW + 15 * DAY
    with pytest.raises(MassDeletion, match="40 people would be forgotten at once, the limit is 25"):
        run_retention(settings, late)
    assert "40 people" in forecast(vault, late).stops_because
    with vault.reading() as session:
        assert session.get_one(Employee, "q0").state == "active"
        stopped = session.exec(select(audit_log.AuditEntry).where(col(audit_log.AuditEntry.action) == "sweep_stopped"))
        assert len(stopped.all()) == 1
    for guessed in (39, 41, 1):
        with pytest.raises(MassDeletion, match="--mass-deletion 40"):
            run_retention(settings, late, mass_deletion=guessed)
    assert len(run_retention(settings, late, mass_deletion=40)) == 40


def test_changed_rules_are_shown_before_they_delete_a_company(
    settings: Settings, vault: Vault, kit: ModuleType, tmp_path: Path
) -> None:
    with vault.session() as session:
        for number in range(30):
            session.add(Employee(id=f"q{number}", number=str(number), updated_at=kit.NOW))
            session.add(Consent(id=f"c{number}", employee_id=f"q{number}", given_at=kit.NOW))
    for number in range(30):
        vault.write(vault.permit(f"q{number}", now=kit.NOW), "selfies", "1", b"x", now=kit.NOW)
    run_retention(settings, kit.NOW + DAY)
    rules = tmp_path / "retention.toml"
    rules.write_text('[keep]\nselfies_at_latest = "1 day"\nselfies_after_approval = "0 days"\n')
    changed = settings.model_copy(update={"retention_rules": rules})
    with pytest.raises(MassDeletion, match="the rules changed and 30 people are concerned"):
        run_retention(changed, kit.NOW + 2 * DAY)
    assert len(vault.blobs.remains("")) == 30
    assert len(run_retention(changed, kit.NOW + 2 * DAY, mass_deletion=30)) == 30


def test_a_clock_that_went_back_does_not_hold_the_sweep_up(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    kit.enrol(vault, "p1")
    run_retention(settings, kit.NOW + 2 * DAY)
    kit.withdraw(vault, "p1", kit.NOW - DAY)
    assert len(run_retention(settings, kit.NOW)) == 1


def test_a_sweep_puts_back_the_receipt_that_a_power_cut_took_and_keeps_some_room(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    receipt = forget(vault, "p1", "requested", kit.NOW)
    [path] = settings.receipts.glob("*.json")
    before = path.read_bytes()
    path.unlink()
    run_retention(settings, kit.NOW + timedelta(minutes=1))
    assert path.read_bytes() == before
    assert receipt.id in path.name
    assert (settings.audit / "reserve").stat().st_size == reserve.SIZE, "a receipt can be written on a full disk"


def test_two_sweeps_do_not_run_at_once(settings: Settings, kit: ModuleType) -> None:
    with open_vault(settings) as first, _alone(first), pytest.raises(SweepRunning):
        run_retention(settings, kit.NOW)


def test_held_people_lose_nothing(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType, tmp_path: Path
) -> None:
    rules = tmp_path / "retention.toml"
    rules.write_text('[[hold]]\nperson = "p1"\nreason = "labour court, 12/2027"\n')
    held = settings.model_copy(update={"retention_rules": rules})
    kit.withdraw(vault, "p1")
    before = _keys(vault, "p1")
    assert {one.person for one in run_retention(held, kit.NOW + 60 * DAY)} == {"p10", "p2"}
    assert _keys(vault, "p1") == before
    with pytest.raises(NoConsent):  # a hold keeps; it gives nobody leave to use
        vault.permit("p1", now=kit.NOW)


def test_old_records_go_and_proof_outlives_them(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    kit.withdraw(vault, "p1", kit.NOW - 3 * DAY)
    run_retention(settings, kit.NOW + DAY)
    run_retention(settings, kit.NOW + 2 * DAY)
    run_retention(settings, kit.NOW + 366 * DAY)
    with vault.reading() as session:
        assert session.get(Batch, "b1") is None
        assert session.get(Consent, "cp1") is not None
    receipt = next(path for path in settings.receipts.glob("*.json") if '"person": "p1"' in path.read_text())
    run_retention(settings, kit.NOW + (6 * 365 + 3) * DAY)
    assert not receipt.exists()
    signer = open_signer(settings.signing_key, settings.audit / "signing.pub")
    assert verify_receipts(audit_log.entries(vault.engine), settings.receipts, signer.public) == []
    with vault.reading() as session:
        assert session.get(Consent, "cp1") is None
        assert session.get(Consent, "cp2") is not None, "who is still here keeps their proof"
        assert session.get_one(Employee, "p1").number == "gone-p1", "the pseudonym goes with the proof"


def _planted(settings: Settings, vault: Vault, kit: ModuleType) -> dict[str, Callable[[], object]]:
    """Orphans of every sort, and how each comes to be."""
    blobs = settings.home / "blobs" / "people"

    def file(path: Path, age: timedelta = DAY) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        stamp = (kit.NOW - age).timestamp()
        os.utime(path, (stamp, stamp))

    def row(entry: Any) -> None:
        with vault.session() as session:
            session.add(entry)

    return {
        "blob_without_intent": lambda: file(blobs / "p2" / "selfies" / "restored.jpg"),
        "blob_of_nobody": lambda: file(blobs / "p404" / "selfies" / "1.jpg"),
        "unfinished_write": lambda: file(blobs / "p2" / "selfies" / ".9.jpg.ab.part"),
        "intent_without_blob": lambda: row(
            Artifact(key="people/p2/selfies/none", employee_id="p2", kind="selfies", epoch=0, created_at=kit.NOW - DAY)
        ),
        "selfie_of_nobody": lambda: row(
            Selfie(id="z", employee_id="p404", digest="d", blob_key="k", width=1, height=1, created_at=kit.NOW)
        ),
        "decision_of_nobody": lambda: row(
            Decision(id="z", employee_id="p404", batch_id="b1", verdict="redo", by="x", at=kit.NOW)
        ),
        "key_of_nobody": lambda: vault.keys.data_key("p404", "selfies"),
        "page_of_nobody": lambda: file(settings.reports / "b1" / "people" / "p404" / "1.jpg"),
        "scratch": lambda: file(settings.scratch / "b0" / "old.npy", 10 * DAY),
    }


ORPHANS = (
    "blob_without_intent", "blob_of_nobody", "unfinished_write", "intent_without_blob", "selfie_of_nobody",
    "decision_of_nobody", "key_of_nobody", "page_of_nobody", "scratch",
)  # fmt: skip


def test_orphans_of_every_sort_are_found_and_removed(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    before = kit.fingerprint(vault, company["p2"])
    assert forecast(vault, kit.NOW).orphans == {}
    planted = _planted(settings, vault, kit)
    assert set(planted) == set(ORPHANS)
    for plant in planted.values():
        plant()
    seen = forecast(vault, kit.NOW + timedelta(hours=1)).orphans
    assert {name for name in ORPHANS if name != "scratch"} <= seen.keys()
    run_retention(settings, kit.NOW + timedelta(hours=1))
    assert forecast(vault, kit.NOW + timedelta(hours=1)).orphans == {}
    assert not (settings.scratch / "b0" / "old.npy").exists()
    assert kit.fingerprint(vault, company["p2"]) == before


def test_leftovers_that_are_no_blobs_of_living_people_stop_no_sweep(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    """Half-written files of forty people are what a killed machine leaves, and no sign of lost records."""
    for number in range(40):
        part = settings.home / "blobs" / "people" / f"q{number}" / "selfies" / ".1.jpg.ab.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(b"half")
        os.utime(part, (0, 0))
    run_retention(settings, kit.NOW + timedelta(hours=1))
    assert not list((settings.home / "blobs").rglob("*.part"))


def test_writers_at_work_are_no_orphans(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    now = datetime.now(kit.NOW.tzinfo)
    part = settings.home / "blobs" / "people" / "p2" / "selfies" / ".9.jpg.ab.part"
    part.write_bytes(b"half")
    with vault.session() as session:
        session.add(Artifact(key="people/p2/x/1", employee_id="p2", kind="crops", epoch=0, created_at=now))
    assert forecast(vault, now + timedelta(hours=1)).orphans == {}


def test_lost_records_do_not_delete_everybodys_blobs(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    """The records were restored from before forty people came: their blobs look like nobody's."""
    for number in range(40):
        folder = settings.home / "blobs" / "people" / f"q{number}" / "selfies"
        folder.mkdir(parents=True)
        (folder / "1.jpg").write_bytes(b"x")
    with pytest.raises(MassDeletion, match="were the records restored"):
        run_retention(settings, kit.NOW)
    assert len(vault.blobs.remains("")) == 40


def test_what_was_found_in_refused_photos_goes_with_the_photos(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType
) -> None:
    with vault.session() as session:
        session.add(
            Selfie(id="no", employee_id="p1", digest="x", blob_key="", width=1, height=1, accepted=False,
                   findings=[{"code": "blurred"}], created_at=kit.NOW)
        )  # fmt: skip
        session.get_one(Headshot, "hp1").finished_key = ""
        session.get_one(Headshot, "hp1").original_key = "people/p1/headshots/h.png"
    run_retention(settings, kit.NOW + 29 * DAY)
    with vault.reading() as session:
        assert session.get(Selfie, "no") is not None
    run_retention(settings, kit.NOW + 30 * DAY)
    with vault.reading() as session:
        assert session.get(Selfie, "no") is None
        assert session.get(Headshot, "hp1") is None


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_benchmark_forgets_a_company() -> None:
    """At a small scale. What it takes in seconds is for the benchmark to say: machines differ."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "benchmarks.retention", "--people", "200"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    lines = {line.split("|")[1].strip(): line.split("|") for line in done.stdout.splitlines()[2:]}
    assert "1 receipts, 0 blocked" in lines["forget one in a hundred"][5]
    assert "199 receipts, 0 blocked" in lines["forget everybody else"][5]
    assert "199 final" in lines["look again, final receipts"][5]


def test_uploads_go_when_photos_must(settings: Settings, vault: Vault, kit: ModuleType) -> None:
    kit.enrol(vault, "p1")
    photo = settings.home / "drops" / "u1" / "selfies" / "1.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"x")
    os.utime(photo, (kit.NOW.timestamp(), kit.NOW.timestamp()))
    run_retention(settings, kit.NOW + 29 * DAY)
    assert [upload.files() for upload in uploads(vault)] == [["selfies/1.jpg"]]
    run_retention(settings, kit.NOW + 30 * DAY + timedelta(seconds=1))
    assert list((settings.home / "drops").iterdir()) == []


def test_the_log_and_the_receipts_confirm_each_other(
    settings: Settings, vault: Vault, company: dict[str, Any], kit: ModuleType, tmp_path: Path
) -> None:
    copies = tmp_path / "elsewhere"
    kit.withdraw(vault, "p1")
    receipts: list[Receipt] = run_retention(
        settings.model_copy(update={"checkpoint_copies": copies}), kit.NOW + 31 * DAY
    )
    assert len(receipts) == 3
    import json

    signer = open_signer(settings.signing_key, settings.audit / "signing.pub")
    checkpoint = json.loads(next(copies.iterdir()).read_text())
    assert audit_log.verify(vault.engine, checkpoint, signer.public).confirmed
    assert verify_receipts(audit_log.entries(vault.engine), settings.receipts, signer.public) == []


def test_the_inventory_knows_redo_and_rejections(vault: Vault, company: dict[str, Any], kit: ModuleType) -> None:
    _approve(vault, "p1", kit.NOW + DAY)
    with vault.session() as session:
        session.add(
            Decision(id="r", employee_id="p1", batch_id="b1", kit="k", verdict="redo", by="x", at=kit.NOW + 2 * DAY)
        )
        session.get_one(Headshot, "hp2").state = "rejected"
    found = take_inventory(vault)
    people = {person.id: person for person in found.people}
    assert people["p1"].approved_at is None
    items = {item.id: item for item in found.items}
    assert items["people/p1/headshots/h.png"].clock == "approved"
    assert items["people/p2/headshots/h.png"].decided_at == kit.NOW
    assert items["people/p10/thumbnails/h.webp"].clock == "candidate"
    with vault.reading() as session:
        assert session.exec(select(Erasure)).all() == []
