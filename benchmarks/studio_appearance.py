"""Are glasses and hair kept? How often the check speaks, how often it is wrong, and from which dose on it fires.

    python -m benchmarks.studio_appearance                         painted people, with the embedded eyes
    python -m benchmarks.studio_appearance --photos FOLDER --models FOLDER --glasses d05_1,d05_2       real portraits

Everybody's selfies are painted, then studio pictures of them, clean and changed by the painter itself: the same person
and shot with glasses put on or taken off, with other hair or less of it, with hair of another colour; the dose of a
change is how much of it the painter itself can see. They are judged twice: as the smallest base draws them, 24 px
between the eyes, enlarged by finishing; and at the resolution of a selfie. Real portraits are too few for error rates:
their scores are printed beside what a person saw.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthetic.painter.capture import Capture, CaptureWish, draw_capture
from synthetic.painter.identity import Identity, draw_identity
from synthetic.painter.painting import paint
from synthetic.painter.palette import HAIR
from tasks.headshots.finish import CannotFinish
from tasks.headshots.kit import BrandKit, load_kit
from tasks.headshots.look import find_head
from tasks.headshots.shots import background_word, light_words
from tasks.headshots.studio import finish_candidate
from tasks.likeness.head import OUTLINE, Head, read_head
from tasks.likeness.kept import OUTLINE_FLOOR, KeptLooks, compare_heads, kept_flags
from tasks.likeness.reference import find_faces
from tasks.shipped import SHIPPED
from tasks.vision.colour import delta_e, linear_to_srgb, to_lab
from tasks.vision.faces import Eyes, Face
from tasks.vision.glasses import BARE, WORN, wears_glasses
from tasks.vision.images import Picture, read_picture
from tasks.vision.open_eyes import open_eyes

FIRST_SEED = 940_000  # not those on which the limits were chosen
SELFIE_SIZE = 384  # px
RENDER_SIZE = 128  # px of a picture as the smallest base draws it
FINISHED_SIZE = 384  # px, width of the finished picture
SHAPES = (0.0, 0.15, 0.3, 0.45)  # eye distances: doses of changed hair are told from each of these up
SHADES = (0.0, 5.0, 10.0, 20.0)  # CIEDE2000, likewise
OTHERS = 500_000  # seeds further on are the people whose hair is borrowed
GROWN = ("h_top", "h_side", "h_len", "h_vol", "h_bun")


def with_numbers(person: Identity, numbers: dict[str, float]) -> Identity:
    """The same person but for these numbers."""
    return replace(person, numbers=person.numbers | numbers)


def changes_of(person: Identity) -> Iterator[tuple[str, Identity]]:
    """(the flag that is to notice it, the person changed): glasses, the shape of the hair, its colour."""
    own, other = person.numbers, draw_identity(person.seed + OTHERS).numbers
    yield "glasses", with_numbers(person, {"g_on": 1 - own["g_on"]})
    if person.cover != "none":  # under a scarf or turban no hair shows
        return
    yield "hair_outline", with_numbers(person, {k: other[k] for k in own if k.startswith(("h_", "part_"))})
    yield "hair_outline", with_numbers(person, {k: 0.4 * own[k] for k in GROWN})
    colour = np.array([own[k] for k in ("hr", "hg", "hb")])
    far = np.array(HAIR["black" if colour.mean() > 0.1 or own["grey"] > 0.3 else "blonde"])
    for dose in (0.4, 1.0):
        mixed = dict(zip(("hr", "hg", "hb"), (1 - dose) * colour + dose * far, strict=True))
        yield "hair_colour", with_numbers(person, mixed | {"grey": (1 - dose) * own["grey"]})


@dataclass(frozen=True)
class Told:
    """A matter that knows the painter's own outline."""

    alpha: NDArray[np.float32]

    def matte(self, picture: Picture) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(self.alpha, (picture.shape[1], picture.shape[0])), np.float32)


@dataclass(frozen=True)
class Case:
    """One picture, judged."""

    change: str  # code of the flag that is to notice it; "" for a clean one
    dose: float  # by the painter's own truth: eye distances of outline, or CIEDE2000 of hair
    found: KeptLooks
    codes: frozenset[str]
    worn: bool  # whether glasses are painted


def selfies_of(person: Identity, count: int, eyes: Eyes) -> list[Head]:
    """A person's selfies, read as intake reads them."""
    shots = (draw_capture(100 * person.seed + shot, person, "selfie") for shot in range(count))
    pictures = [paint(person, shot, SELFIE_SIZE, 1.0).picture for shot in shots]
    return [read_head(picture, face, eyes.matter) for picture, face in find_faces(pictures, eyes)]


def studio_shot(person: Identity, shot: int, kit: BrandKit) -> Capture:
    """A shot as the kit's prompt asks for it."""
    wish = CaptureWish(background=background_word(kit, small=True), light=light_words(kit, small=True), frontal=0.6)
    return draw_capture(100 * person.seed + shot, person, "studio", wish)


def true_head(person: Identity, capture: Capture) -> Head:
    """What the painter knows of a head in this shot."""
    shot = paint(person, capture, RENDER_SIZE, 1.0)
    return read_head(shot.picture, Face(shot.face_box, shot.landmarks, 1.0), Told(shot.alpha))


def dose_of(code: str, before: Head, after: Head) -> float:
    """How much a change changes what can be seen."""
    if code == "hair_outline":
        return float(np.nanmax(np.abs(np.array(after.outline) - np.array(before.outline))))
    if code == "hair_colour" and before.hair is not None and after.hair is not None:
        seen = [to_lab(np.rint(linear_to_srgb(hair) * 255).astype(np.uint8)) for hair in (before.hair, after.hair)]
        return float(delta_e(*seen))
    return 0.0


def finished(person: Identity, capture: Capture, kit: BrandKit, eyes: Eyes, small: bool) -> Picture | None:
    """As a base draws it and finishing enlarges it, or at a selfie's resolution."""
    if not small:
        return paint(person, capture, SELFIE_SIZE, 1.0).picture
    drawn = paint(person, capture, RENDER_SIZE, 2.0, "aligned").picture
    try:
        return finish_candidate(drawn, kit, eyes, FINISHED_SIZE).finished.picture
    except CannotFinish:
        return None


def cases_of(person: Identity, selfies: Sequence[Head], kit: BrandKit, eyes: Eyes, small: bool) -> Iterator[Case]:
    """Two clean pictures of a person, and the first of them changed in every way."""
    shots = [studio_shot(person, shot, kit) for shot in (90, 91)]
    truth = true_head(person, shots[0])
    wanted = [("", 0.0, person, shot) for shot in shots]
    for code, somebody in changes_of(person):
        wanted.append((code, dose_of(code, truth, true_head(somebody, shots[0])), somebody, shots[0]))
    for code, dose, somebody, shot in wanted:
        picture = finished(somebody, shot, kit, eyes, small)
        face = None if picture is None else find_head(picture, eyes)
        if picture is None or face is None:
            continue
        found = compare_heads(read_head(picture, face, eyes.matter), selfies, "keep", eyes.name)
        codes = frozenset(flag.code for flag in kept_flags(found, "keep"))
        yield Case(code, dose, found, codes, somebody.numbers["g_on"] > 0.5)


def area_under(yes: Sequence[float], no: Sequence[float]) -> float:
    """Of the receiver's curve: how often a yes scores above a no."""
    if not yes or not no:
        return float("nan")
    first, second = np.array(yes)[:, None], np.array(no)[None]
    return float((first > second).mean() + 0.5 * (first == second).mean())


def exceeds(found: KeptLooks, code: str) -> float | None:
    """How far a reading is over its limit, as a ratio; None where the check is silent."""
    if code == "hair_colour":
        return None if found.hair_colour is None else found.hair_colour / (found.hair_colour_limit or 1)
    if code == "hair_outline":
        return None if found.hair_outline is None else abs(found.hair_outline) / (found.hair_outline_limit or 1)
    if found.glasses_expected is None:
        return None
    middle = (BARE + WORN) / 2
    return middle - found.glasses if found.glasses_expected else found.glasses - middle


def print_painted(cases: Sequence[Case], words: str) -> None:
    """False alarms, misses by dose and areas under the curve."""
    clean = [case for case in cases if not case.change]
    print(f"\n{words}: {len(clean)} clean pictures, {len(cases) - len(clean)} changed ones")
    scores = [(case.found.glasses, case.worn) for case in cases]
    said = [(wears_glasses(score), worn) for score, worn in scores]
    worn_area = area_under([score for score, worn in scores if worn], [score for score, worn in scores if not worn])
    wrong = sum(one is not None and one != worn for one, worn in said)
    unsure = sum(one is None for one, _worn in said)
    print(f"  glasses in one picture     AUC {worn_area:.4f}   wrong {wrong}, unsure {unsure} of {len(said)}")
    for code, doses in (("glasses", (0.0,)), ("hair_outline", SHAPES), ("hair_colour", SHADES)):
        usual = [value for case in clean if (value := exceeds(case.found, code)) is not None]
        alarms = sum(code in case.codes for case in clean)
        print(f"  {code:13s} speaks on {len(usual)} of {len(clean)}, false alarms {share(alarms, len(usual))}")
        for low, high in zip(doses, (*doses[1:], float("inf")), strict=True):
            hurt = [case for case in cases if case.change == code and low <= case.dose < high]
            values = [value for case in hurt if (value := exceeds(case.found, code)) is not None]
            caught = sum(code in case.codes for case in hurt)
            words = f"changed by {low:g} to {high:g}" if code != "glasses" else "put on or taken off"
            area = area_under(values, usual)
            silent = len(hurt) - len(values)
            print(f"    {words:22s} caught {share(caught, len(values))}, silent on {silent}   AUC {area:.3f}")
    several = sum(bool(case.codes) for case in clean)
    print(f"  clean pictures with any of the three flags: {share(several, len(clean))}", flush=True)


def share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "none to try"


def print_photographs(folder: Path, glasses: frozenset[str], eyes: Eyes) -> None:
    """Scores of real portraits, and how far two pictures of one person lie apart."""
    people: dict[str, list[Head]] = {}
    rows = []
    for file in sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".heic"}):
        picture = read_picture(file.read_bytes()).picture
        face = find_head(picture, eyes)
        if face is None:
            continue
        head = read_head(picture, face, eyes.matter)
        people.setdefault(file.stem.split("_")[0], []).append(head)
        rows.append((head.glasses, file.stem, file.stem in glasses))
    worn, bare = [s for s, _, seen in rows if seen], [s for s, _, seen in rows if not seen]
    print(f"\n{len(rows)} photographs, eyes {eyes.name}: glasses AUC {area_under(worn, bare):.3f}")
    print("  with    " + " ".join(f"{score:.1f}" for score in sorted(worn)))
    print("  without " + " ".join(f"{score:.1f}" for score in sorted(bare)))
    said = [(wears_glasses(score), seen) for score, _, seen in rows]
    wrong, unsure = sum(one not in (None, seen) for one, seen in said), sum(one is None for one, _ in said)
    print(f"  with the limits found on painted people: wrong {wrong}, unsure {unsure}")
    pairs = [(a, b) for heads in people.values() for i, a in enumerate(heads) for b in heads[i + 1 :]]
    print(f"  {len(pairs)} pairs of one person: share whose outlines lie further apart than what is always allowed")
    for at, (place, floor) in enumerate(zip(OUTLINE, OUTLINE_FLOOR, strict=True)):
        apart = np.array([abs(a.outline[at] - b.outline[at]) for a, b in pairs])
        apart = apart[np.isfinite(apart)]
        if apart.size:
            print(
                f"    {place:8s} median {np.median(apart):.2f}, above {floor}: {(apart > floor).sum()} of {apart.size}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--selfies", type=int, default=5)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--kit", default="northwind")
    parser.add_argument("--photos", type=Path, default=None)
    parser.add_argument("--models", type=Path, default=None, help="folder of the eyes `opencv`, for --photos")
    parser.add_argument("--glasses", default="", help="names of the photographs on which somebody saw glasses")
    given = parser.parse_args()
    if given.photos:
        print_photographs(given.photos, frozenset(given.glasses.split(",")), open_eyes("opencv", given.models))
        return
    eyes, kit = open_eyes(), load_kit(given.kit, SHIPPED / "brand_kits")
    people = [draw_identity(seed) for seed in range(given.first, given.first + given.people)]
    selfies = [selfies_of(person, given.selfies, eyes) for person in people]
    for small, words in ((True, "as the base draws, 24 px between the eyes"), (False, "at a selfie's resolution")):
        print_painted(
            [
                case
                for person, heads in zip(people, selfies, strict=True)
                for case in cases_of(person, heads, kit, eyes, small)
            ],
            words,
        )


if __name__ == "__main__":
    main()
