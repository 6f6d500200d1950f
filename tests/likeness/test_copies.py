"""No picture is one of the selfies over again: copies are known however they were finished, other shots are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from reports.scores import score_lines
from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.headshots.kit import BrandKit
from tasks.headshots.look import find_head
from tasks.headshots.measure import ALIGNED, PictureMeasures
from tasks.headshots.studio import finish_candidate
from tasks.likeness.choose import choose
from tasks.likeness.copies import LEAST, MOST, Copying, OwnPhotos
from tasks.likeness.judge import Judged, ToJudge, judge_candidate
from tasks.likeness.reference import PersonReference, read_reference
from tasks.vision.faces import Eyes, Face
from tasks.vision.images import Picture, encode, read_picture, resize
from tasks.vision.open_eyes import open_eyes
from tasks.vision.portrait import FACE_TEMPLATE, align_portrait, align_to

Photo = tuple[Picture, Face]
PEOPLE = (1001, 1003)


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    return open_eyes("embedded")


def shoot(seed: int, number: int, kind: str, eyes: Eyes) -> Photo:
    who = draw_identity(seed)
    picture = paint(
        who, draw_capture(seed * 64 + number, who, kind, CaptureWish(frontal=0.7)), 320, 1.0, "natural"
    ).picture
    return picture, eyes.finder.find(picture)[0]


@pytest.fixture(scope="module")
def photos(eyes: Eyes) -> dict[int, list[Photo]]:
    return {seed: [shoot(seed, number, "selfie", eyes) for number in range(5)] for seed in PEOPLE}


def own(photos: list[Photo]) -> OwnPhotos:
    return OwnPhotos.of([align_to(picture, face.landmarks, FACE_TEMPLATE, ALIGNED)[0] for picture, face in photos])


def portrait(photo: Photo) -> Picture:
    return align_portrait(photo[0], photo[1].landmarks, 256)[0]


def warmer(picture: Picture) -> Picture:
    return np.asarray(np.clip(picture * np.array([1.1, 0.95, 0.8]) + 8, 0, 255), np.uint8)


PLANTS: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda picture: picture,
    "saved badly": lambda picture: read_picture(encode(picture, "jpeg", quality=50)).picture,
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
    "in other light": warmer,
    "smaller": lambda picture: resize(picture, 140, 140),
}


@pytest.mark.parametrize("way", PLANTS)
def test_a_planted_copy_is_known_in_every_guise(way: str, photos: dict[int, list[Photo]], eyes: Eyes) -> None:
    for mine in photos.values():
        ceiling = own(mine)
        for photo in mine[:3]:
            planted = PLANTS[way](portrait(photo))
            found = ceiling.nearest(planted, eyes.finder.find(planted)[0])
            assert found.copied, (way, found)


def test_a_copy_is_known_after_its_finish(photos: dict[int, list[Photo]], eyes: Eyes, kit: BrandKit) -> None:
    """Another wall, another crop, another size and the kit's tone."""
    for mine in photos.values():
        finished = finish_candidate(portrait(mine[1]), kit, eyes).finished.picture
        face = find_head(finished, eyes)
        assert face is not None
        assert own(mine).nearest(finished, face).copied


def test_another_shot_is_no_copy_and_another_person_is_far(photos: dict[int, list[Photo]], eyes: Eyes) -> None:
    for seed, mine in photos.items():
        ceiling = own(mine)
        for number in range(32, 38):
            found = ceiling.nearest(*shoot(seed, number, "studio", eyes))
            assert not found.copied, (seed, number, found)
        other = next(photos[one] for one in PEOPLE if one != seed)
        assert all(ceiling.nearest(*photo).nearness < 0.8 for photo in other)


def test_the_ceiling_is_the_persons_own_and_repeated_photos_excuse_no_copy(photos: dict[int, list[Photo]]) -> None:
    mine = photos[PEOPLE[0]]
    assert own(mine[:1]).ceiling == LEAST, "one photo has no neighbour"
    assert own([mine[0]] * 4).ceiling == MOST
    assert own([mine[0]] * 4).nearest(*mine[0]).copied
    assert LEAST <= own(mine).ceiling <= MOST


def test_a_copy_is_what_is_above_the_ceiling_and_the_bounds_lie_between_shots_and_copies() -> None:
    assert not Copying(0.85, 0.85).copied
    assert Copying(0.8501, 0.85).copied
    # Of ten drawn people, 95 % of the pairs of one's own photos are below .77, and finished copies begin at .854.
    assert 0.77 < LEAST < 0.854
    assert LEAST < MOST <= 0.87, "99 % of the pairs are below it"


def test_the_judge_flags_a_copy_says_so_on_the_page_and_chooses_it_last(
    photos: dict[int, list[Photo]], eyes: Eyes, kit: BrandKit, clean: PictureMeasures
) -> None:
    mine = photos[PEOPLE[0]]
    reference: PersonReference = read_reference(mine, eyes)

    def judged(key: str, picture: Picture) -> Judged:
        return judge_candidate(ToJudge(key, picture, clean, (), "generated", 40.0), reference, {}, "p", kit, eyes)

    copy = judged("a", mine[2][0])
    new = [judged(f"n{number}", shoot(PEOPLE[0], number, "studio", eyes)[0]) for number in (33, 34)]
    (flag,) = [flag for flag in copy.flags if flag.code == "copied"]
    assert flag.measured > flag.limit >= LEAST
    assert choose([one.candidate for one in (copy, *new)])[-1].key == "a"
    said = next(one for one in score_lines(copy.likeness.as_json(), {"copied"}) if one.key == "copied")
    assert (said.word, said.tone) == ("Repeats a selfie", "poor")
    assert said.number == f"{flag.measured:.2f}, up to {flag.limit:.2f} is chance"
    assert not any(flag.code == "copied" for one in new for flag in one.flags)
