"""Datasets: complete, resumable, and never mixing settings."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from synthetic import dataset
from synthetic.dataset import SEEDS, DrawingOrder, write_dataset


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "SHARD", 2)


def test_portraits_are_written_once_and_go_on(tmp_path: Path) -> None:
    order = DrawingOrder(people=4, size=32)
    first = write_dataset(order, tmp_path, (0, 2))
    assert [p.name for p in first] == ["shard-0000.npz"]
    before = first[0].read_bytes()
    second = write_dataset(order, tmp_path)
    assert [p.name for p in second] == ["shard-0001.npz"]
    assert first[0].read_bytes() == before
    assert write_dataset(order, tmp_path) == []
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_what_a_shard_holds(tmp_path: Path) -> None:
    (path,) = write_dataset(DrawingOrder(people=2, size=32), tmp_path)
    words = json.loads(path.with_suffix(".json").read_text())
    with np.load(path) as shard:
        count = 2 * 2 * 2
        assert shard["picture"].shape == (count, 32, 32, 3)
        assert shard["alpha"].shape == shard["rough"].shape == (count, 32, 32)
        assert (shard["rough"].mean((1, 2)) > 20).all()  # everybody wears something
        assert (shard["rough"].astype(int) <= shard["alpha"].astype(int) + 3).all()  # rounding
        assert shard["landmarks"].shape == (count, 5, 2)
        assert shard["identity"].shape[0] == count
        assert sorted(set(shard["person"].tolist())) == [SEEDS["portraits"], SEEDS["portraits"] + 1]
        assert set(shard["kind"]) <= {"studio", "selfie"}
    assert len(words["caption"]) == len(words["neutral"]) == count
    assert all(" of a person," in text for text in words["neutral"])


def test_a_lost_shard_comes_back_the_same(tmp_path: Path) -> None:
    order = DrawingOrder(people=2, size=32)
    (path,) = write_dataset(order, tmp_path)
    with np.load(path) as shard:
        before = {name: shard[name] for name in shard.files}
    path.unlink()
    write_dataset(order, tmp_path)
    with np.load(path) as shard:
        assert all(np.array_equal(before[name], shard[name]) for name in shard.files)


def test_other_settings_are_refused(tmp_path: Path) -> None:
    write_dataset(DrawingOrder(people=2, size=32), tmp_path)
    with pytest.raises(ValueError, match="other settings"):
        write_dataset(DrawingOrder(people=2, size=48), tmp_path)


def test_scenes_are_written_by_the_command(tmp_path: Path) -> None:
    dataset.main(["--frame", "full", "--people", "2", "--size", "48", "--out", str(tmp_path)])
    with np.load(tmp_path / "shard-0000.npz") as shard:
        assert shard["boxes"].shape == (2, 2, 4)
        assert shard["landmarks"].shape == (2, 2, 5, 2)
        assert shard["parts"].max() <= 7


def test_populations_do_not_meet() -> None:
    starts = sorted(SEEDS.values())
    assert all(b - a >= 1_000_000 for a, b in itertools.pairwise(starts))
