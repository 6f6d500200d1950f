"""Blind pairs: answers count only against the key that was promised before anybody looked."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.blind import chance, read_answers, sheet, tell


def promised(folder: Path, left: list[str], answers: str) -> Path:
    key = json.dumps({"bases": ["old", "new"], "left": left}).encode()
    (folder / "key.json").write_bytes(key)
    (folder / "key.sha256").write_text(hashlib.sha256(key).hexdigest() + "  key.json\n")
    (folder / "answers.txt").write_text(answers)
    return folder


def test_an_answer_counts_for_the_base_on_the_side_that_was_named(tmp_path: Path) -> None:
    counts = tell(promised(tmp_path, ["old", "new", "new"], "1 left\n3 right\n2 left\n"))
    assert counts == {"old": 2, "new": 1, "same": 0}


def test_a_key_that_was_changed_after_it_was_promised_is_refused(tmp_path: Path) -> None:
    folder = promised(tmp_path, ["old", "new"], "1 left\n2 left\n")
    (folder / "key.json").write_text(json.dumps({"bases": ["old", "new"], "left": ["new", "new"]}))
    with pytest.raises(ValueError, match="not the key"):
        tell(folder)


@pytest.mark.parametrize("text", ["1 left", "1 left\n1 right\n2 same", "1 left\n2 both", "1 left\n2 same\n3 same"])
def test_a_pair_left_out_answered_twice_or_in_other_words_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[Pp]air"):
        read_answers(text, 2)


def test_what_the_model_card_says_of_the_pairs_is_what_was_answered() -> None:
    assert tell(Path(__file__).parents[1] / "docs" / "blind") == {"old": 0, "new": 39, "same": 1}


def test_an_even_result_is_chance_and_forty_of_forty_is_not() -> None:
    assert chance(20, 20) == 1.0
    assert chance(0, 0) == 1.0
    assert chance(40, 0) < 1e-11
    assert chance(15, 5) == pytest.approx(0.0414, abs=1e-4)  # the sign test's own tables


def test_a_sheet_shows_each_picture_of_each_pair_on_its_own_side() -> None:
    dark, light = np.full((8, 8, 3), 10, np.uint8), np.full((8, 8, 3), 200, np.uint8)
    page = np.asarray(sheet({1: (dark, light), 2: (light, dark)}, 8))
    middle = page[24 + 4]  # the row through the pictures' middle, below the gap with the number
    assert [int(middle[x, 0]) for x in (12 + 4, 12 + 24, 64 + 12 + 4, 64 + 12 + 24)] == [10, 200, 200, 10]
