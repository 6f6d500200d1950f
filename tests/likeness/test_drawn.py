"""Yield: what a base drew for a batch, and how much of it is like its person."""

from __future__ import annotations

from typing import Any

from reports.phrases import label
from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.measure import PictureMeasures
from tasks.likeness.drawn import sum_up_drawn
from tasks.vault.records import Headshot, Showing


def test_everything_drawn_counts_and_photographs_do_not(house: Any, clean: PictureMeasures) -> None:
    assert sum_up_drawn(house.vault, house.batch, BatchKits(house.kit)) == {}
    house.seat("p0")
    house.seat("p1")
    house.headshot("p0", "good", clean)
    house.headshot("p0", "framed-otherwise", clean, choice=2, flags=["eye_line"])
    house.headshot("p0", "unlike", clean, choice=3, flags=["likeness"])
    house.headshot("p1", "copy", clean, flags=["copied"])
    house.headshot("p1", "unfinished", clean, choice=2, scores={}, flags=["no_face"])
    house.headshot("p1", "photograph", clean, choice=3, lane="faithful", flags=["likeness"])
    with house.vault.session() as session:  # an earlier round's, superseded since
        session.get_one(Showing, (house.batch, "unlike")).retired = True
        session.get_one(Headshot, "unlike").state = "retired"
    (facts,) = sum_up_drawn(house.vault, house.batch, BatchKits(house.kit)).values()
    assert facts == {"like_them": "3 of 5 (60%)", "copies": "1 of 5 (20%)"}
    assert [label(key) for key in facts] == ["Above the likeness floor", "One of the selfies over again"]
