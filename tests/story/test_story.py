"""From a roster to headshots, to files in a directory, to forgotten: once through, as a company would."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from tasks.adapters.plan import LONGER

STEPS = 30  # of the story's card, see conftest.py
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_everybody_on_the_roster_has_one_seat_with_a_state_and_a_reason(finished, company) -> None:
    seats = finished.rows("select e.number, s.state, s.reason from seat s join employee e on e.id = s.employee_id")
    assert sorted(str(number) for number, _, _ in seats) == sorted(row["Employee ID"] for row in company.rows)
    by_number = {str(number): (state, reason) for number, state, reason in seats}
    unwilling, folderless = company.rows[2]["Employee ID"], company.rows[3]["Employee ID"]
    assert by_number[unwilling] == ("blocked", "no_consent")
    assert by_number[folderless][0] == "blocked"
    assert {state for state, _ in by_number.values()} <= {"done", "flagged", "blocked"}


def test_no_photo_is_kept_of_who_did_not_consent(finished, company) -> None:
    unwilling = company.rows[2]["Employee ID"]
    [(person,)] = finished.rows(f"select id from employee where number = '{unwilling}'")
    assert finished.rows(f"select * from selfie where employee_id = '{person}'") == []
    assert list((finished.home / "blobs").rglob(f"*{person}*")) == []


def test_a_second_run_trains_and_renders_nothing_and_says_so(finished, company) -> None:
    before = finished.digests()
    assert "nothing was trained, nothing was rendered" in finished.made(company.drop)
    assert finished.digests() == before


def test_another_kit_renders_but_trains_nothing(finished, company, strict_kit) -> None:
    """Without extra rounds: whom a kit's floors find not like themselves may otherwise be learned for longer."""
    before = finished.digests()
    kit = strict_kit(extra_rounds=0)
    said = finished.run("make", str(company.drop), "--kit", "strict", "--quality", "draft", ROLLCALL_KITS=str(kit))
    after = finished.digests()
    assert "learned 0 faces" in said
    assert after["adapters"] == before["adapters"]
    assert len(after["headshots"]) > len(before["headshots"])


def test_who_is_not_like_themselves_is_learned_for_longer_and_then_needs_new_photos(
    installation, company, strict_kit
) -> None:
    command, kits = ("make", str(company.drop), "--kit", "strict", "--quality", "draft"), strict_kit(extra_rounds=1)
    installation.run(*command, ROLLCALL_KITS=str(kits))
    people = installation.rows("select employee_id, reason from seat where state = 'flagged'")
    assert [reason for _, reason in people] == ["needs_new_photos"] * 2
    for person, _ in people:
        steps = installation.rows(f"select steps from adapter where employee_id = '{person}' order by steps")
        assert [count for (count,) in steps] == [STEPS, round(STEPS * LONGER)]
        # First pictures and new seeds by the first training leave the choice to what the longer one drew.
        shown = installation.rows(
            "select a.steps from headshot h join adapter a on a.digest = h.adapter_digest "
            f"where h.employee_id = '{person}' and h.state != 'retired'"
        )
        assert shown == [(round(STEPS * LONGER),)]
    assert "nothing was trained, nothing was rendered" in installation.run(*command, ROLLCALL_KITS=str(kits))


def test_prefect_has_seen_nobody(finished, company) -> None:
    """Parameters, names, logs, events, artifacts: whatever Prefect wrote down, nobody's data is in it."""
    folder = finished.home / "prefect"
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert len(written) > 100_000
    found = [
        secret
        for secret in company.secrets()
        if secret.encode() in written or json.dumps(secret)[1:-1].encode() in written
    ]
    assert found == []
    with sqlite3.connect(folder / "prefect.db") as database:
        runs = database.execute("select name, parameters from flow_run").fetchall()
    assert runs
    assert b"\xff\xd8\xff" not in written
    assert b"\x89PNG" not in written


def test_approved_delivered_and_forgotten(installation, company, tmp_path: Path) -> None:
    installation.made(company.drop)
    batch, first = installation.batch(), company.rows[0]
    [(person, shot)] = installation.rows(
        "select h.employee_id, h.headshot_digest from showing h join employee e on e.id = h.employee_id "
        f"where e.number = '{first['Employee ID']}' and h.choice = 1"
    )
    approved = {"employee": person, "headshot": shot, "verdict": "approve", "at": datetime.now(UTC).isoformat()}
    decisions = {"batch": batch, "by": "HR", "decisions": [approved]}
    (tmp_path / "decisions.json").write_text(json.dumps(decisions))
    installation.run("decide", str(tmp_path / "decisions.json"))

    installation.run("deliver", batch, "--to", str(tmp_path / "pack"))
    pictures = [path for path in (tmp_path / "pack").rglob("*") if path.suffix in {".jpg", ".png", ".webp"}]
    assert pictures
    large = []
    for path in pictures:
        with Image.open(path) as picture:
            large += [path] if min(picture.size) >= 200 else []
        assert b"trainedAlgorithmicMedia" in path.read_bytes()
    assert large
    said = installation.run("verify", *map(str, large)).splitlines()
    assert [line for line in said if "It carries this installation's mark: generated by AI." not in line] == []

    said = installation.run("forget", first["Employee ID"], "--yes")
    assert "receipt" in said
    everything = b"".join(path.read_bytes() for path in installation.home.rglob("*") if path.is_file())
    for secret in (first["Work Email"], first["Employee ID"]):
        assert secret.encode() not in everything
    assert list((installation.home / "blobs").rglob(f"*{person}*/*")) == []
    installation.run("audit", "verify")
