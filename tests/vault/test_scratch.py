"""Work under way on this machine's disk: what bears a person's id goes, links are never followed."""

import os
from datetime import UTC, datetime
from pathlib import Path

from tasks.vault.scratch import clear_half_learned, clear_old_scratch, clear_scratch


def put(path: Path, age: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    if age is not None:
        os.utime(path, (age, age))
    return path


def test_what_bears_one_of_these_ids_goes_and_nothing_else(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    for name in ("b1/p1/a.npy", "b1/p1-left.png", "p12.npy", "b1/p2/a.npy"):
        put(scratch / name)
    assert clear_scratch(scratch, ["p1"]) == 0
    left = {path.relative_to(scratch).as_posix() for path in scratch.rglob("*") if path.is_file()}
    assert left == {"p12.npy", "b1/p2/a.npy"}


def test_a_link_with_somebodys_name_goes_and_what_it_points_at_stays(tmp_path: Path) -> None:
    scratch, elsewhere = tmp_path / "scratch", put(tmp_path / "elsewhere" / "kept.txt")
    scratch.mkdir()
    (scratch / "p1").symlink_to(elsewhere.parent)
    (scratch / "p1.gone").symlink_to(tmp_path / "nowhere")
    assert clear_scratch(scratch, ["p1"]) == 0
    assert list(scratch.iterdir()) == []
    assert elsewhere.read_bytes() == b"x"


def test_half_learned_faces_of_an_older_version_go_whoevers_they_are(tmp_path: Path) -> None:
    put(tmp_path / "b1" / "cohort-3" / "state.safetensors")
    put(tmp_path / "b1" / "notes.txt")
    assert clear_half_learned(tmp_path) == 0
    assert sorted(path.name for path in (tmp_path / "b1").iterdir()) == ["notes.txt"]


def test_what_nobody_touched_since_goes_with_its_empty_folders(tmp_path: Path) -> None:
    day = datetime(2026, 11, 23, tzinfo=UTC)
    put(tmp_path / "b0" / "old.npy", int(day.timestamp()) - 1)
    put(tmp_path / "b1" / "same.npy", int(day.timestamp()))
    assert clear_old_scratch(tmp_path, day) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["b1"]
    assert clear_old_scratch(tmp_path, day) == 0
