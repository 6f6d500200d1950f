"""What the page shows of photos that are nobody's yet: where they lie, whom they may show, and sometimes the photo.

A photo is only opened when it fits several people alike and every one of them has consented; a photo that fits nobody
stays closed, since it may show somebody who never agreed.
"""

from dataclasses import dataclass

from tasks.roster.drop import Drop, DropFault
from tasks.selfies.check import CheckReport
from tasks.selfies.match import Stray
from tasks.selfies.picks import BY_FILE, NOBODYS, PHOTO_FOLDER
from tasks.sentences import tell
from tasks.vision.glance import Refused
from tasks.vision.photos import open_photo
from tasks.vision.small import THUMB, small

SHOWN = 300  # strays on one page; the others come when these are settled
OF_PHOTOS = frozenset({"no_photos", "other_person", "same_face_two_names"})  # what blocks without closing the photos


@dataclass(frozen=True)
class StrayLine:
    """One stray as a line of the page. `options`: (value, words); `picked`: the value that stands, "" for none."""

    number: int
    key: str
    place: str
    files: tuple[str, ...]
    says: str
    options: tuple[tuple[str, str], ...]
    picked: str
    picture: bool


def choices(report: CheckReport) -> list[StrayLine]:
    """The strays of a drop, those that wait first."""
    names = {report.roster.filed_number(row): row.name for row in report.roster.rows}
    found = [_choice(number, stray, names, report) for number, stray in enumerate(report.matching.strays)]
    return sorted(found, key=lambda choice: (bool(choice.picked), choice.number))[:SHOWN]


def _choice(number: int, stray: Stray, names: dict[str, str], report: CheckReport) -> StrayLine:
    clear = {
        report.roster.filed_number(row) for row in report.roster.rows if row.row not in report.roster.doubtful_rows
    }
    people = [(one, f"{one} · {names[one]}") for one in stray.candidates if one in clear]
    if stray.picked in names and stray.picked not in stray.candidates:
        people.append((stray.picked, f"{stray.picked} · {names[stray.picked]}"))
    is_folder = stray.key.endswith("/")
    options = [*people, (NOBODYS, tell("strays.nobody"))]
    options += [(BY_FILE, tell("strays.by_file"))] if is_folder else []
    known = [f"{names[one]} ({one})" for one in stray.candidates if one in names]
    names_of = tell("strays.or").join(known)
    says = tell("strays.alike", names=names_of) if stray.between else ""
    says = says or (tell("strays.perhaps", names=names_of) if names_of else "")
    if not clear.issuperset(stray.candidates):
        says += " " + tell("strays.own_numbers")
    shown = tuple(path.rpartition("/")[2] for path in stray.files)
    return StrayLine(
        number, stray.key, stray.folder if is_folder else stray.files[0], shown, says or tell("strays.fits_nobody"),
        tuple(options), stray.picked, may_be_shown(stray, report),
    )  # fmt: skip


def may_be_shown(stray: Stray, report: CheckReport) -> bool:
    """Whether every one whom this may be has agreed to having photos opened."""
    if not stray.between or not report.looked:
        return False
    open_for = {
        report.roster.filed_number(row)
        for row, person in zip(report.roster.rows, report.people, strict=True)
        if row.row not in report.roster.doubtful_rows
        and all(found.severity != "block" or found.code in OF_PHOTOS for found in person.findings)
    }
    return set(stray.candidates) <= open_for


def thumbnail(drop: Drop, report: CheckReport, number: int) -> bytes | None:
    """The first photo of this stray, small; None when it may not be shown or cannot be opened."""
    strays = report.matching.strays
    if not 0 <= number < len(strays) or not may_be_shown(strays[number], report):
        return None
    try:
        picture = open_photo(drop.read(PHOTO_FOLDER + strays[number].files[0])).judged
    except (DropFault, Refused):
        return None
    return small(picture, THUMB)
