"""A sealed folder: what is put in comes out, by its name only, and nothing of it can be read or moved on the disk."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.vault.failures import Unreadable
from tasks.vault.sealed_folder import LONGEST, SealedFolder, is_sealed_file
from tasks.vault.sealing import CHUNK, plain_size, seal, unseal

KEY, OTHER = bytes(range(32)), bytes(32)


@pytest.fixture
def folder(tmp_path: Path) -> SealedFolder:
    return SealedFolder(tmp_path / "upload", KEY)


def test_what_is_put_in_comes_out_by_its_name(folder: SealedFolder) -> None:
    folder.write("selfies/Sofía Núñez/IMG 1.jpg", b"photo")
    folder.write("roster.csv", [b"Name\n", b"", b"Sofia\n"])
    folder.write("roster.csv", b"Name\n")
    assert folder.names() == ["roster.csv", "selfies/Sofía Núñez/IMG 1.jpg"]
    assert (folder.read("roster.csv"), folder.size("roster.csv")) == (b"Name\n", 5)
    assert SealedFolder(folder.folder, KEY).read("selfies/Sofía Núñez/IMG 1.jpg") == b"photo"
    assert folder.remove("roster.csv")
    assert not folder.remove("roster.csv")
    with pytest.raises(FileNotFoundError):
        folder.read("roster.csv")
    assert SealedFolder(folder.folder / "nowhere", KEY).names() == []


def test_neither_names_nor_contents_are_on_the_disk(folder: SealedFolder) -> None:
    folder.write("selfies/Sofia Nunez.jpg", b"\xff\xd8\xff\xe0 a photo of Sofia")
    (path,) = folder.folder.iterdir()
    assert "ofia" not in path.name
    assert b"ofia" not in path.read_bytes()
    assert b"\xff\xd8\xff\xe0" not in path.read_bytes()
    assert is_sealed_file(str(path))
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_contents_of_every_size(folder: SealedFolder, size: int) -> None:
    data = bytes(size)
    folder.write("a", data)
    folder.write("b", (data[at : at + 70_000] for at in range(0, size, 70_000)))
    assert folder.read("a") == folder.read("b") == data
    assert folder.size("a") == folder.size("b") == size


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_chunks_make_no_difference(chunks: list[bytes]) -> None:
    sealed = b"".join(seal(KEY, "x", iter(chunks)))
    assert unseal(KEY, "x", sealed) == b"".join(chunks)
    assert plain_size(len(sealed)) == len(b"".join(chunks))


def test_no_file_stands_in_for_another(folder: SealedFolder) -> None:
    for name in ("a", "b"):
        folder.write(name, name.encode() * 100)
    one, two = folder.place("a"), folder.place("b")
    first, second = one.read_bytes(), two.read_bytes()
    block = len(first) - 100 - 16 - 27  # before the stream
    for wrong in (second, first[:block] + second[block:], first[:-1], first + b"x", first[:10], b""):
        one.write_bytes(wrong)
        with pytest.raises(Unreadable):
            folder.read("a")
    one.write_bytes(first)
    assert folder.read("a") == b"a" * 100
    with pytest.raises(Unreadable, match="another key"):
        SealedFolder(folder.folder, OTHER)._name(one.name, first)
    with pytest.raises(Unreadable):
        SealedFolder(folder.folder, OTHER).names()


def test_a_name_too_long_leaves_nothing(folder: SealedFolder) -> None:
    folder.write("x" * LONGEST, b"1")
    with pytest.raises(ValueError, match="961 bytes"):
        folder.write("x" * (LONGEST + 1), b"1")

    def breaks() -> object:
        yield b"1"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        folder.write("y", breaks())  # type: ignore[arg-type]
    assert len(list(folder.folder.iterdir())) == 1


def test_a_link_is_not_followed(folder: SealedFolder, tmp_path: Path) -> None:
    folder.write("a", b"1")
    place = folder.place("a")
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert folder.names() == []
    with pytest.raises(OSError, match="symbolic links"):
        folder.read("a")
