"""What Prefect's forms call kits and batches leads back to them, and names nobody."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reports.labels import archive_batch, name_batch
from tasks.headshots.form_words import (
    LAST_REVIEWED,
    SHOWN,
    batch_in_words,
    batch_labels,
    batch_meant,
    is_called,
    kit_labels,
    kit_meant,
)
from tasks.vault.batches import Order, open_batch
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

KITS = Path(__file__).parents[2] / "brand_kits"
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return open_vault(Settings(home=tmp_path))


def test_kits_are_called_by_their_titles_and_two_of_one_title_are_told_apart(tmp_path: Path) -> None:
    shutil.copytree(KITS, tmp_path / "kits")
    shutil.copytree(KITS / "harbour", tmp_path / "kits" / "quay")
    (tmp_path / "kits" / "signal" / "kit.toml").write_text("broken")
    labels = kit_labels(tmp_path / "kits")
    assert labels["Northwind studio"] == "northwind"
    assert {"Harbour partners (harbour)", "Harbour partners (quay)"} <= set(labels)
    assert "signal" not in labels.values(), "one broken kit is not to be chosen, and breaks nothing else"
    for label, name in labels.items():
        assert kit_meant(label, tmp_path / "kits") == kit_meant(name, tmp_path / "kits") == name
        assert is_called(label, name, label.partition(" (")[0])
    assert not is_called("Harbour partners (quay)", "harbour", "Harbour partners")


def test_a_kits_name_never_means_another_kit_whose_title_it_is(tmp_path: Path) -> None:
    """`rollcall make --kit harbour` would have photographed the company under the other one, without a word."""
    for name, title in (("harbour", "northwind"), ("northwind", "harbour")):
        shutil.copytree(KITS / name, tmp_path / name)
        text = (tmp_path / name / "kit.toml").read_text()
        (tmp_path / name / "kit.toml").write_text(re.sub("(?m)^title = .*", f'title = "{title}"', text))
        assert not is_called(title, name, title), "which is the other one's name"
    for label, name in kit_labels(tmp_path).items():
        assert kit_meant(name, tmp_path) == kit_meant(label, tmp_path) == name
        assert is_called(label, name, label.partition(" (")[0])


def test_a_batch_is_called_by_kit_day_and_count_and_leads_back(vault: Vault) -> None:
    batch = open_batch(vault, Order("/srv/Hannah", "northwind", "draft", "embedded"), NOON)
    name_batch(vault, batch, "Hannah's people", "Hannah", NOON)
    [said] = batch_labels(vault.engine, kit_labels(KITS), "Europe/Berlin")
    assert said == f"Northwind studio · 28 Nov 2026, 13:00 · 0 people · {batch}"
    assert batch_meant(said) == batch_meant(batch) == batch
    assert batch_in_words(vault.engine, batch, KITS, "UTC") == "Northwind studio · 28 Nov 2026, 12:00"
    assert batch_in_words(vault.engine, "b000000000000000", KITS, "UTC") == "b000000000000000"
    assert batch_meant(LAST_REVIEWED) == ""
    assert batch_meant("Hannah") == "Hannah", "which the flow refuses"


def test_the_newest_come_first_and_what_was_put_away_is_not_offered(vault: Vault) -> None:
    made = [
        open_batch(vault, Order(f"/srv/{day}", "harbour", "draft", "embedded"), NOON + timedelta(days=day))
        for day in range(SHOWN + 2)
    ]
    archive_batch(vault, made[-1], True, "Hannah", NOON)
    offered = [batch_meant(label) for label in batch_labels(vault.engine, kit_labels(KITS), "UTC")]
    assert offered == list(reversed(made[:-1]))[:SHOWN]
