"""Replacing a file: whole, durable, private, and alone."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.vault.files import replace_file, take_away


def test_the_new_content_stands_alone_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "on the way" / "note.json"
    replace_file(path, b"first")
    replace_file(path, b"second")
    assert path.read_bytes() == b"second"
    assert [one.name for one in path.parent.iterdir()] == ["note.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_writer_that_fails_half_way_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "note"
    replace_file(path, b"old")

    def failing() -> Iterator[bytes]:
        yield b"half of the n"
        raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space"):
        replace_file(path, failing())
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["note"]


def test_the_bytes_are_flushed_before_the_name_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    flush, rename = os.fsync, os.replace

    def flushed(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        flush(handle)

    def renamed(source: Path, target: Path) -> None:
        steps.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    replace_file(tmp_path / "note", b"content")
    assert steps == ["file", "rename", "folder"]


def test_a_power_cut_cannot_take_a_new_folder_with_the_file_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: set[int] = set()
    flush = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (flushed.add(os.fstat(handle).st_ino), flush(handle)))
    replace_file(tmp_path / "a" / "b" / "note", b"content")
    for folder in (tmp_path, tmp_path / "a", tmp_path / "a" / "b"):
        assert folder.stat().st_ino in flushed, folder


def test_two_writers_at_once_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "note"
    contents = [bytes([65 + number]) * 100_000 for number in range(8)]

    def write(content: bytes) -> None:
        for _ in range(20):
            replace_file(path, (content[start : start + 10_000] for start in range(0, 100_000, 10_000)))

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_bytes() in contents
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"somebody else's")
    path = tmp_path / "note"
    path.symlink_to(elsewhere)
    replace_file(path, b"ours")
    assert elsewhere.read_bytes() == b"somebody else's"
    assert not path.is_symlink()


def test_what_others_take_away_or_put_there_meanwhile_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report is written while somebody in it is forgotten: both remove, and one of them still writes."""
    folder = tmp_path / "people"
    folder.mkdir()
    (folder / "a.webp").write_bytes(b"a")
    unlink, rmdir, late = os.unlink, os.rmdir, [b"late"]

    def quicker(path: Any, **more: Any) -> None:
        unlink(path, **more)
        unlink(path, **more)

    def written_into(path: Any, **more: Any) -> None:
        if late:
            (folder / "b.webp").write_bytes(late.pop())
        rmdir(path, **more)

    monkeypatch.setattr(os, "unlink", quicker)
    monkeypatch.setattr(os, "rmdir", written_into)
    take_away(folder)
    take_away(folder)
    assert not folder.exists()
