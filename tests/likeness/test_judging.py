"""Why a person is flagged: the word that decides what is done for them next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from tasks.hands import Hands
from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness import grounds
from tasks.likeness.choose import Candidate
from tasks.likeness.judge_job import Judges
from tasks.likeness.judging import first_choice, judge, why_flagged
from tasks.likeness.score import LikenessScore
from tasks.vault.batches import seats_of
from tasks.vault.records import Employee, Headshot, Showing
from tasks.vision.faces import Eyes, Face, FaceEmbedder
from tasks.vision.images import Picture

LIKE = LikenessScore(0.6, 0.95, 0.99, 1, 0.3, "p9", False)


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (("inter_eye", "halo"), "inter_eye"),
        (("inter_eye", "relative_likeness"), "relative_likeness"),  # learned for longer, and not merely framed again
        (("likeness", "holes"), "holes"),
        (("skin_tone", "margin", "wrong_person"), "wrong_person"),
        (("one_photo", "halo"), "halo"),  # what another picture can cure goes before what none can
        (("one_photo",), "one_photo"),
        ((), None),
    ],
)
def test_the_gravest_is_named(clean: PictureMeasures, codes: tuple[str, ...], reason: str | None) -> None:
    flags = tuple(Flag(code, 1, 0, "") for code in codes)
    assert why_flagged([Candidate("a", LIKE, clean, flags)]) == reason


def test_a_person_without_a_picture_has_no_face() -> None:
    assert why_flagged([]) == "no_face"


@dataclass
class Counting:
    """The eyes' judge, and how often it was asked."""

    judge: FaceEmbedder
    asked: int = 0

    @property
    def name(self) -> str:
        return self.judge.name

    def embed(self, picture: Picture, face: Face) -> Any:
        self.asked += 1
        return self.judge.embed(picture, face)


@pytest.fixture
def counting(eyes: Eyes) -> Counting:
    return Counting(eyes.judge)


@pytest.fixture
def judged(house: Any, paintings: Any, clean: PictureMeasures, eyes: Eyes, counting: Counting) -> Callable[[], None]:
    """Two people with three selfies and a finished picture each; calling it judges them."""
    for one in ("p0", "p1"):
        house.seat(one, state="rendered")
        for shot, selfie in enumerate(paintings[one][0]):
            house.selfie(one, f"{one}{shot}", selfie)
        house.headshot(one, f"d{one}", clean, paintings[one][1])

    def run() -> None:
        counting.asked = 0
        seats = seats_of(house.vault, house.batch)
        judge(house.vault, house.batch, BatchKits(house.kit), replace(eyes, judge=counting), seats)

    run()
    assert counting.asked == 6 + 6 + 2  # for the company, as each one's yardstick, and the pictures
    return run


def test_no_picture_is_judged_twice_on_the_same_grounds(house: Any, judged: Any, counting: Counting) -> None:
    before = [(house.row(f"d{one}").scores, house.stands(one)) for one in ("p0", "p1")]
    assert before[0][0]["likeness"]["rank"] == 1
    judged()
    assert counting.asked == 0
    assert [(house.row(f"d{one}").scores, house.stands(one)) for one in ("p0", "p1")] == before


def test_the_picture_that_is_shown_first_is_theirs_of_this_kit_and_nobody_has_retired_it(
    house: Any, clean: PictureMeasures
) -> None:
    house.seat("p0")
    assert first_choice(house.vault, house.batch, "p0", house.kit) is None, "nobody has judged"
    house.headshot("p0", "second", clean, choice=2)
    assert first_choice(house.vault, house.batch, "p0", house.kit) is None
    house.headshot("p0", "of-another-kit", clean, kit_digest="another")
    house.headshot("p0", "first", clean)
    assert first_choice(house.vault, house.batch, "p0", house.kit).digest == "first"
    with house.vault.session() as session:
        session.get_one(Showing, (house.batch, "first")).retired = True
    assert first_choice(house.vault, house.batch, "p0", house.kit) is None


def test_a_new_picture_is_judged_and_chosen_among_those_that_were(
    house: Any, judged: Any, counting: Counting, paintings: Any, clean: PictureMeasures
) -> None:
    house.headshot("p0", "e", replace(clean, halo=9.0), paintings["p0"][1], choice=None)
    judged()
    assert counting.asked == 6 + 3 + 1  # everybody's selfies, their owner's as a yardstick, and this one picture
    assert (house.showing("dp0").choice, house.showing("e").choice) == (1, 2)


@pytest.mark.parametrize("change", ["photos", "wish", "company", "rules"])
def test_what_rests_on_other_grounds_is_judged_again(
    house: Any, judged: Any, counting: Counting, paintings: Any, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if change == "photos":
        house.selfie("p0", "another", paintings["p0"][0][0])
    elif change == "wish":
        with house.vault.session() as session:
            session.get_one(Employee, "p0").glasses = "on"
    elif change == "company":
        house.seat("p2", state="rendered")
        house.selfie("p2", "theirs", paintings["p2"][0][0])
    else:
        monkeypatch.setattr(grounds, "RULES", grounds.RULES + 1)
    judged()
    # Everybody's selfies; the wish is its owner's own, and all else is everybody's ground.
    assert counting.asked == {"photos": 7 + 7 + 2, "wish": 6 + 3 + 1, "company": 7 + 6 + 2, "rules": 14}[change]


def test_verdicts_are_the_same_however_many_processes_give_them(house: Any, judged: Any, eyes: Eyes) -> None:
    here = [house.row(f"d{one}").scores for one in ("p0", "p1")]
    with house.vault.session() as session:
        for row in session.exec(select(Headshot)):
            row.scores = {key: value for key, value in row.scores.items() if key not in ("likeness", "judged_on")}
    hands = Hands(2)
    seats = seats_of(house.vault, house.batch)
    judge(house.vault, house.batch, BatchKits(house.kit), eyes, seats, Judges(hands, "embedded", Path("none")))
    hands.close()
    for one, before in zip(("p0", "p1"), here, strict=True):
        after = house.row(f"d{one}").scores
        # The last bit of a vector's length depends on where in memory it lies.
        assert after.pop("likeness") == pytest.approx(before.pop("likeness"), rel=1e-6)
        assert after == before


def test_the_light_of_a_team_that_was_is_no_flag_of_the_team_that_is(house: Any, judged: Any) -> None:
    with house.vault.session() as session:
        row = session.get_one(Headshot, "dp0")
        row.scores = {**row.scores, "flags": [Flag("light", 1.0, 0.5, "The light falls otherwise.").as_json()]}
    judged()
    assert "light" not in house.row("dp0").flags


def test_a_picture_that_could_not_be_finished_is_not_judged(
    house: Any, judged: Any, counting: Counting, clean: PictureMeasures
) -> None:
    """Its row says why; there are no pixels to look at, and nobody else waits for it."""
    house.headshot("p0", "e", clean, flags=["no_face"], finished_key="", scores={})
    judged()
    assert counting.asked == 0
    assert house.row("e").flags == ["no_face"]
