"""An installation's own key: the same on each of its machines, and nobody else's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasks.disclosure.finding import Copy, find_mark
from tasks.disclosure.installation import mark_key, marked
from tasks.disclosure.pattern import lane_of
from tasks.vault.keys import Keyring
from tasks.vision.images import Picture


@pytest.fixture
def keyring(tmp_path: Path) -> Callable[[str], Keyring]:
    """Opens the keys of the home of this name."""

    def at(name: str) -> Keyring:
        (tmp_path / name).mkdir(exist_ok=True)
        return Keyring(f"sqlite:///{tmp_path / name / 'wrapped.db'}", str(tmp_path / name / "master.key"))

    return at


def test_every_machine_of_an_installation_marks_with_one_key(keyring: Callable[[str], Keyring]) -> None:
    assert mark_key(keyring("home")).secret == mark_key(keyring("home")).secret
    assert mark_key(keyring("home")).secret != mark_key(keyring("another home")).secret


def test_a_secret_of_one_purpose_is_not_that_of_another(keyring: Callable[[str], Keyring]) -> None:
    keys = keyring("home")
    before = keys.pseudonym("1007")
    assert keys.secret("mark") != keys.secret("tombstones")
    assert keyring("home").pseudonym("1007") == before


def test_a_picture_is_marked_once_with_its_lane(masters: list[Picture], keyring: Callable[[str], Keyring]) -> None:
    key = mark_key(keyring("home"))
    once = marked(masters[0], key, "faithful")
    found = find_mark(Copy(once), key)
    assert found.payload is not None
    assert lane_of(key, found.payload) == "faithful"
    assert marked(once, key, "faithful") is once
    assert not np.array_equal(once, masters[0])
