"""Makes the sample company: a roster, a consent register and photos of people who do not exist.

    python -m synthetic.company            writes samples/northwind (a few minutes on two cores)

Beside the good photos lie the problems that real drops have, each listed in `problems.toml` with the finding it must
cause. The people come from identity seeds that no training set uses.
"""

import argparse
import csv
import functools
import io
import multiprocessing
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from synthetic.dataset import SEEDS
from synthetic.painter import develop
from synthetic.painter.backgrounds import room
from synthetic.painter.capture import Capture, CaptureWish, draw_capture
from synthetic.painter.identity import Identity, draw_identity
from synthetic.painter.painting import Picture, paint
from synthetic.scenes import place_person
from synthetic.staff import DUPLICATE_OF, STAFF, STRANGER_FOLDER, STRANGER_LOOKS, Looks, StaffMember

SIZE = 640  # px
QUALITY = 84
ROSTER_HEADER = (
    "Employee ID", "Legal Name", "Preferred Name", "Work Email", "Department", "Job Title", "Status", "Wardrobe",
    "Glasses", "Headshot generation",
)  # fmt: skip
CONSENT_HEADER = ("Employee ID", "Purpose", "Consent text version", "Given at", "Withdrawn at", "Source")
STRANGER_PHOTOS = 4
EXIF_ORIENTATION, EXIF_MAKE, EXIF_GPS = 0x0112, 0x010F, 0x8825
# Orientation tag → how the stored pixels are turned away from upright.
STORED_TURNED = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270, 3: Image.Transpose.ROTATE_180}


@dataclass(frozen=True)
class PlantedProblem:
    """One line of the truth. `files` are relative to the selfies folder; empty when it is not about a photo."""

    code: str
    employee: str
    files: tuple[str, ...] = ()
    note: str = ""
    also: tuple[str, ...] = ()  # other findings that turn the same photo down for a good reason


def fits(person: Identity, looks: Looks) -> bool:
    return (
        person.feminine == looks.feminine
        and looks.tones[0] <= person.skin_tone <= looks.tones[1]
        and person.cover == looks.cover
        and (not looks.styles or person.style in looks.styles)
        and (looks.glasses is None or person.glasses == looks.glasses)
        and person.hearing_aid == looks.hearing_aid
        and looks.years[0] <= person.years <= looks.years[1]
        and (not looks.hair or person.hair in looks.hair)
        and (looks.beard is None or person.beard == looks.beard)
    )


@functools.cache
def cast(staff: tuple[StaffMember, ...]) -> dict[str, Identity]:
    """A face for everybody, the same on every machine; the two of a same-face pair share one."""
    chosen: dict[str, Identity] = {}
    taken: set[int] = set()
    for place, employee in enumerate(staff):
        twin = next((how for code, how in employee.planted if code == "same_face_two_names" and how in chosen), None)
        chosen[employee.number] = chosen[twin] if twin else _first_that_fits(place, employee.looks, taken)
        taken.add(chosen[employee.number].seed)
    chosen[STRANGER_FOLDER] = _first_that_fits(len(staff), STRANGER_LOOKS, taken)
    return chosen


def _first_that_fits(place: int, looks: Looks, taken: set[int]) -> Identity:
    start = SEEDS["company"] + place * 10_000
    for seed in range(start, start + 10_000):
        person = draw_identity(seed)
        if seed not in taken and fits(person, looks):
            return person
    raise LookupError(f"nobody between seeds {start} and {start + 10_000} looks like line {place} of the staff")


def selfie(
    person: Identity,
    number: int,
    wish: CaptureWish | None = None,
    face: float = 0.0,
    burn: float = 1.0,
    soft: float = 0.0,
) -> Picture:
    """A phone's picture: `face` is its share of the width (0: a usual one), `burn` multiplies exposure,
    `soft` blurs."""
    seed = person.seed * 64 + number
    r = np.random.default_rng((seed, 3))
    frontal = wish or CaptureWish(frontal=float(r.uniform(0.35, 0.9)))
    shot = draw_capture(seed, person, "selfie", frontal)
    share = face or float(r.uniform(0.31, 0.38))
    shot, view = place_person(
        shot, SIZE, share, float(r.uniform(0.46, 0.54)), float(r.uniform(0.42, 0.47)) if not face else 0.75
    )
    one = paint(person, shot, SIZE, 1.25, view=view)
    behind = room(shot.background, shot.background_seed, SIZE) * np.float32(shot.exposure)
    linear = np.asarray((one.foreground + behind * (1 - one.alpha)[..., None]) * burn, np.float32)
    return develop.finish(linear, shot.noise * 0.6, soft or min(shot.blur, 0.8), shot.background_seed)


def two_people(first: Identity, second: Identity) -> Picture:
    """Both look into the camera, side by side, equally near."""
    canvas = room("cafe", first.seed % 1000, SIZE)
    for person, x in ((second, 0.73), (first, 0.28)):
        shot: Capture = draw_capture(
            person.seed * 64 + 50, person, "selfie", CaptureWish(frontal=0.3, light="soft daylight")
        )
        shot, view = place_person(shot, SIZE, 0.25, x, 0.45)
        one = paint(person, shot, SIZE, 1.25, view=view)
        canvas = np.asarray(canvas * (1 - one.alpha)[..., None] + one.foreground, np.float32)
    return develop.finish(canvas, 0.004, 0.6, 1)


def encoded(picture: Picture, number: int, style: str) -> bytes:
    """`style`: jpeg, heic, turned (upright only through its EXIF tag) or gps (says where, which must not survive)."""
    image, exif = Image.fromarray(picture), Image.Exif()
    exif[EXIF_MAKE] = "Examplephone"
    if style == "turned":
        tag = (6, 8, 3)[number % 3]
        image = image.transpose(STORED_TURNED[tag])
        exif[EXIF_ORIENTATION] = tag
    if style == "gps":
        exif.get_ifd(EXIF_GPS).update({1: "N", 2: (54.0, 30.0, 0.0), 3: "W", 4: (30.0, 0.0, 0.0)})  # mid-Atlantic
    data = io.BytesIO()
    if style == "heic":
        heif = pillow_heif.from_pillow(image)
        heif.save(data, quality=70)
    else:
        image.save(data, "JPEG", quality=QUALITY, exif=exif)
    return data.getvalue()


def _style(place: int, number: int) -> str:
    if place in (1, 4, 12) and number % 3 == 0:
        return "heic"
    if number == 2 and place % 3 == 0:
        return "turned"
    return "gps" if (place, number) in ((0, 1), (7, 4)) else "jpeg"


def photo_names(place: int, employee: StaffMember) -> list[str]:
    """File names of the good photos, in the order of their numbers."""
    styles = [_style(place, number) for number in range(employee.photos)]
    return [
        f"IMG_{1000 + place * 37 + number:04d}.{'heic' if style == 'heic' else 'jpg'}"
        for number, style in enumerate(styles)
    ]


# What can be planted as a photo, in the order of the file names: how → finding.
PLANTED = {
    "blurred": "blurred",
    "dark": "dark",
    "sunglasses": "sunglasses",
    "far away": "small_face",
    "profile": "turned_away",
    "burnt out": "overexposed",
    "two people": "several_faces",
    "a colleague": "other_person",
    "cut off": "truncated",
    "sent twice": "near_duplicate",
    "text file": "not_a_picture",
}
PHOTO_PROBLEMS = frozenset(PLANTED.values())


def planted_name(how: str) -> str:
    return f"IMG_90{list(PLANTED).index(how):02d}.jpg"


def _twice(place: int, employee: StaffMember) -> str:
    """Which good photo is sent again."""
    return [name for name in photo_names(place, employee) if name.endswith(".jpg")][1]


def planted_problems() -> list[PlantedProblem]:
    """Everything that is wrong with the drop, without drawing it."""
    problems = []
    for place, employee in enumerate(STAFF):
        folder = employee.folder or employee.number
        for code, how in employee.planted:
            names = [planted_name(how)] if how in PLANTED else []
            if code == "near_duplicate":  # either of the pair may be the one that is turned down
                names.append(_twice(place, employee))
            # Eyes that have seen no profiles rightly find that a profile looks like nobody.
            also = ("other_person",) if code == "turned_away" else ()
            problems.append(
                PlantedProblem(code, employee.number, tuple(f"{folder}/{name}" for name in names), how, also)
            )
    strangers = tuple(f"{STRANGER_FOLDER}/IMG_77{n:02d}.jpg" for n in range(STRANGER_PHOTOS))
    problems.append(
        PlantedProblem("not_on_roster", STRANGER_FOLDER, strangers, "a folder of somebody HR does not know")
    )
    problems.append(PlantedProblem("duplicate_id", DUPLICATE_OF, (), "the number stands on two lines"))
    return problems


def planted_photo(how: str, person: Identity, colleague: Identity, again: Path) -> bytes:
    """Content of one planted file. `again` is the photo that is sent twice."""
    plain = CaptureWish(frontal=0.4)
    pictures: dict[str, Callable[[], Picture]] = {
        "blurred": lambda: selfie(person, 40, plain, soft=16.0),
        "dark": lambda: selfie(person, 41, plain, burn=0.035),
        "sunglasses": lambda: selfie(person, 42, CaptureWish(frontal=0.4, sunglasses=True)),
        "far away": lambda: selfie(person, 43, plain, face=0.055),
        "profile": lambda: selfie(person, 44, CaptureWish(yaw=1.15)),
        "burnt out": lambda: selfie(person, 45, plain, burn=9.0),
        "two people": lambda: two_people(person, colleague),
        "a colleague": lambda: selfie(colleague, 46, plain),
        "cut off": lambda: selfie(person, 47, plain),
        "sent twice": lambda: np.asarray(ImageOps.exif_transpose(Image.open(again)).resize((600, 600)), np.uint8),
    }
    if how == "text file":
        return b"This is a note that somebody saved under a picture's name.\n"
    data = encoded(pictures[how](), 0, "jpeg")
    return data[: len(data) * 55 // 100] if how == "cut off" else data


def make_person(selfies: Path, place: int) -> None:
    """One employee's folder, good photos and planted ones."""
    people, employee = cast(STAFF), STAFF[place]
    person, folder = people[employee.number], selfies / (employee.folder or employee.number)
    folder.mkdir(parents=True, exist_ok=True)
    # A twin sends other pictures of the same face.
    offset = 20 if any(how < employee.number for code, how in employee.planted if code == "same_face_two_names") else 0
    names = photo_names(place, employee)
    for number, name in enumerate(names):
        (folder / name).write_bytes(encoded(selfie(person, number + offset), number, _style(place, number)))
    if not names:  # git keeps no empty folder
        (folder / ".gitkeep").touch()
    colleague = people[STAFF[(place + 3) % len(STAFF)].number]
    for _, how in employee.planted:
        if how in PLANTED:
            again = folder / _twice(place, employee)
            (folder / planted_name(how)).write_bytes(planted_photo(how, person, colleague, again))


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def roster_text() -> str:
    rows = [
        (
            e.number,
            e.legal,
            e.preferred,
            e.address(),
            e.department,
            e.title,
            e.status,
            e.wardrobe,
            e.glasses,
            e.generation,
        )
        for e in STAFF
    ]
    again = next(row for row in rows if row[0] == DUPLICATE_OF)
    rows.append(
        (
            again[0],
            "Claude Lefebvre",
            "",
            "claude.lefebvre@northwind-instruments.example",
            "Sales",
            "Intern",
            "Active",
            "",
            "",
            "Yes",
        )
    )
    return _table(ROSTER_HEADER, rows)


def consents_text() -> str:
    rows: list[tuple[str, ...]] = []
    for place, e in enumerate(STAFF):
        day = f"2026-{2 + place % 3:02d}-{1 + place * 7 % 27:02d}"
        if e.consent == "none":
            continue
        purpose = "Door badge" if e.consent == "other" else "Headshot"
        rows.append((e.number, purpose, "2026-01", day, "2026-06-15" if e.consent == "withdrawn" else "", "HR portal"))
    return _table(CONSENT_HEADER, rows)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def problems_text(problems: list[PlantedProblem]) -> str:
    lines = ["# What is wrong with this drop, and the finding that must say so. Written by synthetic/company.py.", ""]
    for p in problems:
        lines += ["[[problem]]", f"code = {_quoted(p.code)}", f"employee = {_quoted(p.employee)}"]
        lines += [f"files = [{', '.join(_quoted(f) for f in p.files)}]", f"note = {_quoted(p.note)}"]
        lines += [f"also = [{', '.join(_quoted(code) for code in p.also)}]", ""]
    for e in STAFF:
        outcome, reason = ("few", "") if e.outcome == "few" else (e.outcome, e.reason)
        lines += [
            "[[person]]",
            f"employee = {_quoted(e.number)}",
            f"outcome = {_quoted(outcome)}",
            f"reason = {_quoted(reason)}",
            "",
        ]
    return "\n".join(lines)


def make_stranger(selfies: Path) -> None:
    person, folder = cast(STAFF)[STRANGER_FOLDER], selfies / STRANGER_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(STRANGER_PHOTOS):
        (folder / f"IMG_77{number:02d}.jpg").write_bytes(encoded(selfie(person, number), number, "jpeg"))


def make_company(folder: Path, only: tuple[str, ...] = (), workers: int = 2) -> None:
    """Writes everything anew, or only the folders of some employee numbers; the tables always."""
    selfies = folder / "selfies"
    if not only and selfies.exists():
        shutil.rmtree(selfies)
    selfies.mkdir(parents=True, exist_ok=True)
    (folder / "roster.csv").write_text(roster_text(), encoding="utf-8")
    (folder / "consents.csv").write_text(consents_text(), encoding="utf-8")
    (folder / "problems.toml").write_text(problems_text(planted_problems()), encoding="utf-8")
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = {
            pool.submit(make_person, selfies, place): employee.number
            for place, employee in enumerate(STAFF)
            if not only or employee.number in only
        }
        if not only or STRANGER_FOLDER in only:
            running[pool.submit(make_stranger, selfies)] = STRANGER_FOLDER
        for done in as_completed(running):
            done.result()
            print(f"{running[done]}: written", flush=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("samples/northwind"))
    parser.add_argument("--only", nargs="*", default=[], help="employee numbers whose folders are drawn again")
    given = parser.parse_args(arguments)
    make_company(given.out, tuple(given.only))


if __name__ == "__main__":
    main()
