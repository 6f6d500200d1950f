"""Which machine may work for an installation, and the sentence for each that may not. Nothing is made on the way."""

import os
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows import fitting
from flows.doctor import examine
from flows.fitting import DoesNotFit, check_fit, house_of, note_house, read_house
from tasks.vault.database import CLOCKS
from tasks.vault.failures import VaultError
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.fixture
def control(tmp_path: Path) -> Settings:
    """The control machine, which has noted itself."""
    settings = Settings(home=tmp_path / "control")
    note_house(settings)
    return settings


def name_of(settings: Settings) -> str:
    with open_vault(settings) as vault:
        return vault.keys.name


def elsewhere(control: Settings, tmp_path: Path, **other: object) -> Settings:
    """Another machine's settings: a home of its own, everything shared named, but for what the test changes."""
    shared: dict[str, object] = {
        "database_url": control.records_url, "keys_url": control.wrapped_keys_url,
        "blob_url": control.blobs_location, "master_key": control.master_key_location,
    }  # fmt: skip
    return Settings.model_validate({"home": tmp_path / "worker", **shared, **other})


def refused(settings: Settings, installation: str, **more: datetime) -> str:
    with pytest.raises(VaultError) as wrong:
        check_fit(settings, installation, NOW, **more)
    return str(wrong.value)


def test_a_machine_that_shares_everything_may_work(control: Settings, tmp_path: Path) -> None:
    assert check_fit(elsewhere(control, tmp_path), name_of(control), NOW, NOW) == house_of(control)


def test_a_machine_that_was_told_nothing_makes_nothing(tmp_path: Path) -> None:
    assert "ROLLCALL_DATABASE_URL" in refused(Settings(home=tmp_path / "worker"), "any")
    assert not list((tmp_path / "worker").glob("**/*")), "no records, no keys"


@pytest.mark.parametrize("missing", ["keys_url", "master_key"])
def test_without_the_keys_none_are_made(control: Settings, tmp_path: Path, missing: str) -> None:
    said = refused(elsewhere(control, tmp_path, **{missing: None}), name_of(control))
    assert "No key was made" in said
    assert not list((tmp_path / "worker").glob("keys/*"))


def test_another_master_key_is_refused(control: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other")
    with open_vault(other):
        pass
    said = refused(elsewhere(control, tmp_path, master_key=other.master_key_location), name_of(control))
    assert "wrapped by the master key" in said


def test_another_bucket_is_refused(control: Settings, tmp_path: Path) -> None:
    assert "ROLLCALL_BLOB_URL" in refused(elsewhere(control, tmp_path, blob_url=str(tmp_path / "b")), name_of(control))


def test_the_name_by_which_a_service_is_reached_does_not_matter() -> None:
    inside = fitting.bucket_of("s3://rollcall/a?endpoint=http://minio:9000")
    assert inside == fitting.bucket_of("s3://rollcall/a/?endpoint=https://s3.corp.example&region=eu")
    assert inside != fitting.bucket_of("s3://rollcall/b?endpoint=http://minio:9000")


def test_a_kit_that_was_changed_here_is_named(control: Settings, tmp_path: Path) -> None:
    kits = tmp_path / "kits"
    shutil.copytree(ROOT / "brand_kits", kits)
    card = kits / "harbour" / "kit.toml"
    card.write_text(card.read_text().replace("per_person = ", "per_person = 1", 1))
    said = refused(elsewhere(control, tmp_path, kits=kits), name_of(control))
    assert "(harbour)" in said
    shutil.copytree(ROOT / "brand_kits" / "harbour", kits / "harbour", dirs_exist_ok=True)
    shutil.copytree(kits / "harbour", kits / "more")
    check_fit(elsewhere(control, tmp_path, kits=kits), name_of(control), NOW)  # one kit more is no harm


def bases_in(folder: Path, *, weights: bool, standard: int = 150) -> Path:
    """The embedded base's card, which says its sizes itself, with or without its files."""
    folder.mkdir()
    shipped = (ROOT / "base_models" / "embedded.toml").read_text()
    card = re.sub(r"^standard = \d+", f"standard = {standard}", shipped, flags=re.MULTILINE)
    (folder / "embedded.toml").write_text(f"resolution = 256\nlatent_factor = 16\n{card}")
    if weights:
        (folder / "embedded").symlink_to(ROOT / "base_models" / "embedded")
    return folder


def test_another_card_or_no_files_of_the_base_are_refused(tmp_path: Path) -> None:
    control = Settings(home=tmp_path / "control", bases=bases_in(tmp_path / "a", weights=True))
    note_house(control)
    without = elsewhere(control, tmp_path, bases=bases_in(tmp_path / "b", weights=False))
    assert "files of the base embedded are not here" in refused(without, name_of(control))
    longer = elsewhere(control, tmp_path, bases=bases_in(tmp_path / "c", weights=True, standard=200))
    assert "card" in refused(longer, name_of(control))
    check_fit(elsewhere(control, tmp_path, bases=bases_in(tmp_path / "d", weights=True)), name_of(control), NOW)


def linked_bases(folder: Path) -> Path:
    """The same in a folder of its own, file by file, so that one of them may be another."""
    bases_in(folder, weights=False)
    shutil.copytree(ROOT / "base_models" / "embedded", folder / "embedded", copy_function=os.symlink)
    return folder


def test_the_same_weights_with_another_schedule_are_another_base(tmp_path: Path) -> None:
    """No fingerprint of weights tells them apart, and half of a company would be drawn otherwise."""
    control = Settings(home=tmp_path / "control", bases=bases_in(tmp_path / "a", weights=True))
    note_house(control)
    bases = linked_bases(tmp_path / "b")
    check_fit(elsewhere(control, tmp_path, bases=bases), name_of(control), NOW)
    schedule = bases / "embedded" / "scheduler" / "scheduler_config.json"
    said = schedule.read_text()
    schedule.unlink()
    schedule.write_text(said.replace("v_prediction", "epsilon"))
    assert "others here" in refused(elsewhere(control, tmp_path, bases=bases), name_of(control))


def test_other_class_pictures_are_another_base(tmp_path: Path) -> None:
    def bases(folder: str, prior: bytes) -> Path:
        there = linked_bases(tmp_path / folder)
        (there / "embedded" / "prior.safetensors").write_bytes(prior)
        card = there / "embedded.toml"
        card.write_text(card.read_text().replace("[training]\n", '[training]\nprior = "prior.safetensors"\n', 1))
        return there

    control = Settings(home=tmp_path / "control", bases=bases("a", b"people"))
    note_house(control)
    check_fit(elsewhere(control, tmp_path, bases=bases("b", b"people")), name_of(control), NOW)
    assert "others here" in refused(elsewhere(control, tmp_path, bases=bases("c", b"crowds")), name_of(control))


def drawn_by_another(folder: Path, *, files: bool = True, others: bool = False, steps: int = 4) -> Path:
    """The embedded base, whose people are drawn by weights that were made from it."""
    bases_in(folder, weights=True)
    card = (folder / "embedded.toml").read_text()
    turbo = re.sub(r"^steps = \d+", f"steps = {steps}", card, flags=re.MULTILINE)
    turbo = turbo.replace('path = "embedded"', 'path = "turbo"')
    (folder / "turbo.toml").write_text(f'trained_from = "embedded"\n{turbo}')
    (folder / "embedded.toml").write_text(card.replace("[render]\n", '[render]\ndrawn_by = "turbo"\n'))
    if files:
        shutil.copytree(ROOT / "base_models" / "embedded", folder / "turbo", copy_function=os.symlink)
    if others:
        weights = folder / "turbo" / "text_encoder" / "model.safetensors"
        whole = weights.read_bytes()
        weights.unlink()
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    return folder


def test_what_draws_is_compared_as_well_as_what_learns(tmp_path: Path) -> None:
    """Two machines that learn alike and draw by other weights make two sets of pictures."""
    control = Settings(home=tmp_path / "control", bases=drawn_by_another(tmp_path / "a"))
    note_house(control)
    name = name_of(control)
    check_fit(elsewhere(control, tmp_path, bases=drawn_by_another(tmp_path / "b")), name, NOW)
    for folder, differs, says in (
        ("c", {"files": False}, "files of the base turbo are not here"),
        ("d", {"others": True}, "files of the base turbo are others here"),
        ("e", {"steps": 5}, "drawn by turbo"),
    ):
        bases = drawn_by_another(tmp_path / folder, **differs)  # type: ignore[arg-type]
        assert says in refused(elsewhere(control, tmp_path, bases=bases), name)


def test_a_control_machine_without_the_files_of_what_draws_learns_them_too(tmp_path: Path) -> None:
    control = Settings(home=tmp_path / "control", bases=drawn_by_another(tmp_path / "a", files=False))
    note_house(control)
    first = elsewhere(control, tmp_path, bases=drawn_by_another(tmp_path / "b"))
    whole = check_fit(first, name_of(control), NOW)
    note_house(control)
    with open_vault(control) as vault:
        assert read_house(vault.engine) == whole
    other = drawn_by_another(tmp_path / "c", others=True)
    assert "others here" in refused(elsewhere(control, tmp_path, bases=other), name_of(control))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"code": "0" * 12}, "install the same one"),
        ({"version": "9.9"}, "install the same one"),
        ({"prefect": "3.0.0"}, "Prefect"),
        ({"encrypt": False}, "ROLLCALL_ENCRYPT"),
        ({"weights": "0" * 16}, "fetch them anew"),
        ({"eyes": "opencv"}, "ROLLCALL_EYES"),
        ({"networks": "0" * 12}, "ROLLCALL_EYES"),
    ],
)
def test_each_difference_has_a_sentence(
    control: Settings, tmp_path: Path, changed: dict[str, object], says: str
) -> None:
    with open_vault(control) as vault:
        fitting._write(vault, replace(house_of(control), **changed))  # type: ignore[arg-type]
    assert says in refused(elsewhere(control, tmp_path), name_of(control))


def test_a_clock_that_is_off_is_refused(control: Settings, tmp_path: Path) -> None:
    machine, name = elsewhere(control, tmp_path), name_of(control)
    check_fit(machine, name, NOW, NOW + CLOCKS)
    said = refused(machine, name, server_time=NOW + CLOCKS + timedelta(seconds=1))
    assert "-31 s" in said


@pytest.mark.postgres
@pytest.mark.parametrize("off", [timedelta(minutes=10), timedelta(minutes=-10)], ids=["fast", "slow"])
def test_a_clock_that_is_off_from_the_databases_is_refused_and_said(
    tmp_path: Path, postgres_url: str, off: timedelta
) -> None:
    """Server and machine may be wrong together, as virtual machines of one host are: leases run by the database."""
    control = Settings(home=tmp_path / "control", database_url=postgres_url)
    note_house(control)
    machine, name = elsewhere(control, tmp_path), name_of(control)
    check_fit(machine, name, now := datetime.now(UTC), now)
    with pytest.raises(DoesNotFit, match=r"clock is [+-]\d{3} s from that of the database"):
        check_fit(machine, name, wrong := datetime.now(UTC) + off, wrong)
    with pytest.raises(DoesNotFit, match=r"[+-]\d{3} s from that of the server: the database's is right"):
        check_fit(machine, name, now := datetime.now(UTC), now + off)
    (clock,) = [part for part in examine(control, datetime.now(UTC) + off) if part.name == "clock"]
    assert not clock.well
    assert re.match(r"[+-]\d{3} s from the database's", clock.said)
    assert all(part.well for part in examine(control, datetime.now(UTC)) if part.name == "clock")


def test_records_of_another_installation_are_refused(control: Settings, tmp_path: Path) -> None:
    assert "different installations" in refused(elsewhere(control, tmp_path), "another")


def test_who_forgets_has_to_have_the_control_machines_home(control: Settings, tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="mount that folder"):
        check_fit(elsewhere(control, tmp_path), name_of(control), NOW, forgets=True)
    check_fit(control, name_of(control), NOW, forgets=True)


def test_a_control_machine_without_the_bases_files_learns_them_from_its_first_worker(tmp_path: Path) -> None:
    control = Settings(home=tmp_path / "control", bases=bases_in(tmp_path / "a", weights=False))
    note_house(control)
    worker = elsewhere(control, tmp_path, bases=bases_in(tmp_path / "b", weights=True))
    whole = check_fit(worker, name_of(control), NOW)
    assert whole.weights
    note_house(control)
    with open_vault(control) as vault:
        assert read_house(vault.engine) == whole, "its next start keeps what it learned"


def test_a_note_of_another_shape_is_another_version(control: Settings) -> None:
    with open_vault(control) as vault:
        with vault.session() as session:
            row = session.get(fitting.Installation, fitting.HOUSE)
            assert row is not None
            row.value = '{"version": "0.1"}'
            session.add(row)
        with pytest.raises(DoesNotFit, match="another version"):
            read_house(vault.engine)
    (code,) = [part for part in examine(control, NOW) if part.name == "code"]
    assert not code.well
    note_house(control)  # the control machine was updated: its own note takes the place
    with open_vault(control) as vault:
        assert read_house(vault.engine) == house_of(control)
