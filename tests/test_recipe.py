"""The recipe's table measures what it says: each row changes what is trained on, and pictures are kept by person."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.random_bases import write_random_base
from benchmarks.recipe import rows
from benchmarks.recipe.__main__ import HEAD, MEASURES, Row, line, parsed
from benchmarks.recipe.rows import CONTROL, ROWS, Bench, take, what_changed
from benchmarks.recipe.sitters import Sitter
from tasks.adapters.portraits import Likeness
from tasks.vision.diffusion import load_base_card, open_base
from tasks.vision.faces import Face
from tasks.vision.portrait import PORTRAIT_TEMPLATE


def sitter(seed: int) -> Sitter:
    """Three plain selfies before walls of three colours."""
    selfies = []
    for number, wall in enumerate(((238, 239, 240), (63, 124, 89), (44, 56, 93))):
        picture = np.full((64, 64, 3), wall, np.uint8)
        picture[16:52, 16:48] = np.random.default_rng(seed + number).integers(90, 220, 3)
        face = Face((21.0, 21.0, 21.0, 21.0), np.asarray(PORTRAIT_TEMPLATE * 64, np.float32), 1.0)
        selfies.append(Likeness(str(number), picture, face))
    nothing = np.zeros((2, 3), np.float32)
    return Sitter(seed, selfies, nothing[0], nothing, None, [], [])  # type: ignore[arg-type]


class Matte:
    """Sees the person in what is not the wall."""

    def matte(self, picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray((np.abs(picture.astype(int) - picture[0, 0]).max(-1) > 8), np.float32)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    torch.set_num_threads(1)
    write_random_base(tmp_path / "bases", "tiny", "sd-v")
    base = open_base(load_base_card("tiny", tmp_path / "bases"), device="cpu")
    eyes: Any = SimpleNamespace(name="embedded", matter=Matte(), lids=None)
    return Bench(base, eyes, [sitter(1), sitter(2)], updates=2, pictures=1, slots=1, work=tmp_path / "work")


CHANGES = {
    "captions": {"words"}, "mask .3": {"mask"}, "crops": {"pictures"}, "average": {"last weights"},
    "gaussian": {"first weights"}, "stop by held-out noise": {"updates"}, "class kept": {"what a person is"},
    "2 photos": {"photos"}, "2 photos, mask, crops": {"photos", "mask", "pictures"},
    "2 photos, plan for few": {"photos"}, "1 photo, .2 of the updates": {"photos", "updates"},
    ".4 of the updates": {"updates"}, "looser, .9": {"weight of the adapter"},
}  # fmt: skip


def test_each_row_changes_what_it_is_named_after(bench: Bench) -> None:
    assert what_changed(bench, "as it was") == []
    for name, changes in CHANGES.items():
        assert changes <= set(what_changed(bench, name)), name


def test_a_row_that_changes_nothing_is_an_error(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROWS, "asleep", {"crops": "portrait", "outside": 1.0})
    with pytest.raises(RuntimeError, match="asleep changes nothing that is trained on"):
        what_changed(bench, "asleep")


def test_a_row_that_adds_nothing_to_the_first_is_refused_before_hours_have_gone_by(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As it was, such a run ended with an error at that row, and with it the rows behind it."""
    beside = ["--first", "mask .3"]
    with pytest.raises(SystemExit):
        parsed([*beside, "--rows", "all", "as it was"])
    assert "as it was: adds nothing to mask .3" in capsys.readouterr().err
    assert set(ROWS) - set(parsed(beside).rows) == {"as it was"}
    assert parsed([]).rows == list(ROWS)
    assert parsed([*beside, "--rows"]).rows == []


def test_a_cut_run_goes_on_with_whom_is_missing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = take(bench, "mask .3")
    assert [(one.updates, len(one.pictures)) for one in taken] == [(2, 1)] * 2
    learned: list[list[int]] = []
    real = rows._take

    def counted(bench: Bench, name: str, group: Any) -> Any:
        learned.append([one.seed for one in group])
        return real(bench, name, group)

    monkeypatch.setattr(rows, "_take", counted)
    bench.path("mask .3", bench.sitters[1]).unlink()
    again = take(bench, "mask .3")
    assert learned == [[2]]
    assert all(np.array_equal(a.pictures[0], b.pictures[0]) for a, b in zip(taken, again, strict=True))
    assert [one.updates for one in take(bench, CONTROL)] == [0, 0]


def test_pictures_that_were_guided_otherwise_are_not_gone_on_with(bench: Bench) -> None:
    """The card's guidance changed while a run was cut: its weights, and so the base's fingerprint, had not."""
    card = bench.base.card
    other = replace(bench, base=copy(bench.base))
    other.base.card = card.model_copy(update={"render": card.render.model_copy(update={"guidance": 9.0})})
    assert other.base.fingerprint == bench.base.fingerprint
    assert other.path("mask .3", bench.sitters[0]) != bench.path("mask .3", bench.sitters[0])


def test_a_row_adds_to_what_ships_and_is_compared_with_that(bench: Bench) -> None:
    beside = replace(bench, first="mask .3")
    assert what_changed(beside, "mask .3") == []
    assert what_changed(beside, "gaussian") == ["first weights"]
    assert beside.plan(beside.words("gaussian")).outside == 0.3
    assert beside.path("gaussian", bench.sitters[0]) != bench.path("gaussian", bench.sitters[0])
    assert beside.path("mask .3", bench.sitters[0]) == bench.path("mask .3", bench.sitters[0])


def test_a_looser_row_draws_otherwise_with_weights_that_were_learned_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = take(bench, "as it was")
    monkeypatch.setattr(rows, "train_cohort", lambda *_, **__: pytest.fail("nothing is learned again"))
    looser = take(bench, "looser, .8")
    assert [one.updates for one in looser] == [one.updates for one in plain]
    assert any(not np.array_equal(a.pictures[0], b.pictures[0]) for a, b in zip(looser, plain, strict=True))


def test_fewer_updates_are_a_share_of_the_cards(bench: Bench) -> None:
    long = replace(bench, updates=150)
    assert long.plan(ROWS[".4 of the updates"]).steps == 60
    assert long.plan(ROWS["2 photos, plan for few"]).steps == 90
    assert long.plan(ROWS["2 photos"]).steps == 150


def test_figures_stand_under_their_words() -> None:
    measures = {name: [0.5, 0.25] for name in MEASURES}
    row: Row = measures | {"updates": 150.0, "seconds": 21.5}
    for printed in (line("mask .3", row, row, []), line("crops", dict(row), row, ["pictures"])):
        for word, figure in (("rank-1", "38%"), ("copies", "38%"), ("updates", "150"), ("CPU s", "21.5")):
            assert printed[: HEAD.index(word) + len(word)].endswith(figure), word
    assert "+0 [+0, +0] %" in line("crops", dict(row), row, [])
