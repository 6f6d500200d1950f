"""Every file of every pack of people of the sample company is opened again and checked, as a stranger would."""

import shutil
from pathlib import Path

import pytest

from benchmarks.delivered import approve_first, looks
from tasks.delivery.pack import kit_pack, sort_packs
from tasks.headshots.kit import load_kit
from tasks.vault.batches import load_batch
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_every_file_of_every_pack_is_what_its_directory_takes_and_says_how_it_was_made(
    finished, tmp_path: Path
) -> None:
    """Size, bytes, profile, crop, metadata, credentials, a flipped byte, and the mark from 200 px up."""
    home = tmp_path / "home"
    shutil.copytree(finished.home, home)
    with open_vault(Settings(home=home, kits=finished.kits)) as vault:
        approve_first(vault, finished.batch())
        every = looks(vault, finished.batch(), tmp_path / "out")
        kit = load_kit(load_batch(vault, finished.batch()).kit, finished.kits)
    packs = [*sort_packs(None)[0].values(), kit_pack(kit)]
    assert [f"{one.size.folder}: {', '.join(one.faults)}" for one in every if one.faults] == []
    assert len(every) == 2 * sum(len(pack.files) for pack in packs)
    assert all(one.marked for one in every if one.marked is not None)
