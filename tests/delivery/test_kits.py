"""People of one batch under different kits: an approval counts under its own kit, and each kit has its own sizes."""

from pathlib import Path

import pytest

from tasks.delivery.handing_over import DeliveryOrder, hand_over
from tasks.delivery.manifest import Manifest
from tasks.delivery.pack import kit_pack
from tasks.delivery.places import open_destination
from tasks.headshots.kit import BrandKit, load_kit
from tasks.vault.records import Seat
from tasks.vault.store import Vault
from tests.delivery.conftest import KITS, NOW, add_headshot, employee_id


@pytest.fixture
def harbour() -> BrandKit:
    kit = load_kit("harbour", KITS)
    small = kit.framing.model_copy(update={"width": 256})
    return kit.model_copy(update={"framing": small, "outputs": kit.outputs[-1:]})


def deliver(vault: Vault, kit: BrandKit, others: dict[str, BrandKit], to: Path, may_remove: bool = False) -> Manifest:
    order = DeliveryOrder("b1", kit, (kit_pack(kit),), others=others, may_remove=may_remove)
    return hand_over(vault, order, lambda: open_destination(str(to)), lambda: NOW)


def test_who_has_another_kit_leaves_with_the_picture_approved_under_it(
    vault: Vault, kit: BrandKit, harbour: BrandKit, tmp_path: Path
) -> None:
    assert deliver(vault, kit, {}, tmp_path / "out").people == 3
    sam = employee_id("1003")
    with vault.session() as session:
        session.get_one(Seat, ("b1", sam)).kit = "harbour"
    nobody = deliver(vault, kit, {"harbour": harbour}, tmp_path / "none")
    assert {one.employee: one.code for one in nobody.skipped}[sam] == "not_approved", "the other kit's does not count"
    add_headshot(vault, harbour, "1003", 9, "generated", "approved")
    manifest = deliver(vault, kit, {"harbour": harbour}, tmp_path / "out", may_remove=True)
    sizes = {file.output for file in manifest.own if file.employee == sam}
    assert sizes == {output.name for output in harbour.outputs}
    assert {file.headshot for file in manifest.own if file.employee == sam} == {"h1003-9"}
    assert {file.output for file in manifest.own if file.employee != sam} == {output.name for output in kit.outputs}
    left = {path.parent.name for path in (tmp_path / "out").glob("*/1003.*")}
    assert left == sizes, "no file of the other kit stays in the directory's folder"


def test_a_kit_that_broke_holds_up_its_own_people_only(vault: Vault, kit: BrandKit, tmp_path: Path) -> None:
    with vault.session() as session:
        session.get_one(Seat, ("b1", employee_id("1003"))).kit = "harbour"
    add_headshot(vault, kit.model_copy(update={"name": "harbour"}), "1003", 9, "generated", "approved")
    manifest = deliver(vault, kit, {}, tmp_path / "out")
    assert {one.employee: one.code for one in manifest.skipped}[employee_id("1003")] == "kit_broken"
    assert manifest.people == 2
