"""Checks a drop before anything is run or kept: everybody on the roster once, ready or blocked, with what to do.

Nothing is written anywhere and no photo is opened without consent. The roster part takes well under two seconds; the
photo part tells its progress. Neither torch nor Prefect is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tasks.roster.consents import ConsentRegister, read_consents
from tasks.roster.drop import TABLES, Drop, sort_contents
from tasks.roster.folder_drop import FolderDrop
from tasks.roster.read import read_roster
from tasks.roster.rows import Roster, RosterProblem
from tasks.roster.whose_consent import Consents, settle_consents
from tasks.roster.write import table_csv
from tasks.selfies.examine import examine
from tasks.selfies.findings import Finding
from tasks.selfies.live_photos import still_photos
from tasks.selfies.manifest import read_manifest
from tasks.selfies.match import Matching, match_photos
from tasks.selfies.people import EarlierPhotos, PersonCheck, as_before, blocks, consent_code_of, settle, standing
from tasks.selfies.picks import PHOTO_FOLDER, read_answers, read_left_out
from tasks.selfies.same_face import Alike, ComparedPhoto, findings_of, same_faces, settled_by
from tasks.selfies.size import Frames, kit_frames, limits_for
from tasks.sentences import tell
from tasks.vision.faces import Eyes, QualityLimits
from tasks.vision.worlds import BaseWorld

# (what is being done, done so far, of how many)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class CheckReport:
    """How everybody stands. `len(people)` is the number of people on the roster, always."""

    roster: Roster
    consents: Consents
    matching: Matching
    people: tuple[PersonCheck, ...]
    looked: bool  # False when only the roster was checked
    left_out: tuple[str, ...] = ()  # lines about what an upload held and the drop does not
    alike: tuple[Alike, ...] = ()  # pairs that show one face, those whom HR calls two people included

    @property
    def blocked(self) -> tuple[PersonCheck, ...]:
        return tuple(person for person in self.people if person.state == "blocked")

    @property
    def warned(self) -> tuple[PersonCheck, ...]:
        """Ready, with something worth knowing."""
        return tuple(person for person in self.people if person.state == "ready" and person.findings)

    @property
    def ready(self) -> tuple[PersonCheck, ...]:
        """Ready, and nothing to say."""
        return tuple(person for person in self.people if person.state == "ready" and not person.findings)

    @property
    def file_problems(self) -> tuple[RosterProblem, ...]:
        """What is wrong with the roster as a whole, and with lines of the register."""
        return self.roster.file_problems + self.consents.problems

    @property
    def file_findings(self) -> tuple[Finding, ...]:
        """The same as findings, each saying in which file."""
        found = [problem.as_finding(quoted=True) for problem in self.roster.file_problems]
        found += [problem.as_finding("register", quoted=True) for problem in self.consents.problems]
        return tuple(Finding(**one) for one in found)

    @property
    def drop_findings(self) -> tuple[Finding, ...]:
        """About files that are nobody's."""
        return self.matching.findings

    def how_read(self) -> list[str]:
        """What was understood of the roster and of the register, so that a wrong guess is seen at once."""
        register = self.consents.understood.lines() if self.consents.understood else []
        return self.roster.understood.lines() + [f"{tell('line.register')}: {line}" for line in register]

    def stray_lines(self) -> list[str]:
        """Every folder and file that is nobody's yet, by name, with whom it may be; for the terminal and HR's page."""
        names = {self.roster.filed_number(row): row.name for row in self.roster.rows}
        return [stray.line(names) for stray in self.matching.strays if not stray.picked]

    def lines(self) -> list[str]:
        """The report as plain text."""
        lines = self.how_read()
        lines += [f"! {found.sentence}" for found in self.file_findings]
        lines += [f"! {found.sentence}" for found in self.drop_findings]
        lines += [f"    {line}" for line in self.stray_lines()]
        lines += [f"! {line}" for line in self.left_out]
        for title, group in (("checked.blocked", self.blocked), ("checked.with_remarks", self.warned)):
            lines += ["", tell(title, len(group))] if group else []
            for person in group:
                lines.append(f"  {person.number}  {person.name}")
                lines += [f"      {_mark(f)} {f.code}{_which(person, f)}: {f.sentence}" for f in person.findings]
        lines += ["", tell("checked.ready", len(self.ready))]
        lines += [f"  {p.number}  {p.name}  {tell('checked.photos', p.accepted)}{_best_of(p)}" for p in self.ready]
        count = len(self.ready) + len(self.warned)
        return [*lines, "", tell("checked.in_all", len(self.people), ready=count, blocked=len(self.blocked))]


def _best_of(person: PersonCheck) -> str:
    if not person.best or person.best > len(person.files):
        return ""
    return tell("checked.best", file=person.files[person.best - 1])


def _mark(found: Finding) -> str:
    return {"block": "✗", "reject": "–", "warn": "·"}[found.severity]


def _which(person: PersonCheck, found: Finding) -> str:
    return f" ({file})" if (file := person.file_of(found)) else ""


def check_drop(
    roster: Path,
    selfies: Path | None,
    consents: Path | None = None,
    eyes: Eyes | Callable[[], Eyes] | None = None,
    *,
    now: datetime | None = None,
    encoding: str | None = None,
    on_progress: Progress | None = None,
    kept: Mapping[str, int] | None = None,
    two_people: frozenset[tuple[str, str]] = frozenset(),
    base: BaseWorld | None = None,
    kits: Collection[str] | None = None,
    frames: Frames = (),
) -> CheckReport:
    """Checks a roster with its photos. Without `eyes` no photo is opened: roster, consent and matching only.

    `eyes` may be a function, so that the networks load after the roster's problems are known. HR's picks are read from
    the roster's folder. `two_people`: pairs of whom HR has said so before. `kept`: number to how many photos of theirs
    are in use already: who sends none is as before. `base`: whom the base of a run would be able to draw. `kits`: the
    brand kits that a line may name; None where they are not known. `frames`: what each kit's frame shows.
    Raises Unreadable or DropFault when there is nothing to check.
    """
    moment = now or datetime.now(UTC)
    read = read_roster(roster.read_bytes(), roster.name, encoding, moment.date())
    register = read_consents(consents.read_bytes(), consents.name, encoding) if consents else None
    photos = FolderDrop(str(selfies)) if selfies else None
    known = _Known(moment, kept or {}, two_people, base, kits, frames)
    return _check(read, register, photos, FolderDrop(str(roster.parent)), eyes, on_progress, known)


def check_upload(
    upload: Drop,
    eyes: Eyes | Callable[[], Eyes] | None = None,
    *,
    now: datetime | None = None,
    on_progress: Progress | None = None,
    kept: Mapping[str, int] | None = None,
    two_people: frozenset[tuple[str, str]] = frozenset(),
    base: BaseWorld | None = None,
    kits: Collection[str] | None = None,
    frames: Frames = (),
) -> CheckReport:
    """The same for a whole drop, wherever and however it lies."""
    moment = now or datetime.now(UTC)
    contents = sort_contents(upload.files())
    read = read_roster(upload.read(contents.roster), contents.roster, None, moment.date())
    register = read_consents(upload.read(contents.consents), contents.consents) if contents.consents else None
    known = _Known(moment, kept or {}, two_people, base, kits, frames)
    return _check(read, register, _PhotosOf(upload), upload, eyes, on_progress, known)


@dataclass(frozen=True)
class _Known:
    """What a check knows besides the drop."""

    moment: datetime
    kept: Mapping[str, int]
    two_people: frozenset[tuple[str, str]]
    base: BaseWorld | None
    kits: Collection[str] | None
    frames: Frames


@dataclass(frozen=True)
class _PhotosOf:
    """The folder of photos in a drop, as a drop: its paths begin there."""

    drop: Drop

    @property
    def location(self) -> str:
        return self.drop.location

    def files(self) -> list[str]:
        inside = (path for path in self.drop.files() if path.startswith(PHOTO_FOLDER))
        return [path.removeprefix(PHOTO_FOLDER) for path in inside]

    def read(self, path: str) -> bytes:
        return self.drop.read(PHOTO_FOLDER + path)

    def stamp(self, path: str) -> str:
        return self.drop.stamp(PHOTO_FOLDER + path)


def _check(
    read: Roster,
    register: ConsentRegister | None,
    drop: Drop | None,
    beside: Drop,
    eyes: Eyes | Callable[[], Eyes] | None,
    on_progress: Progress | None,
    known: _Known,
) -> CheckReport:
    files = still_photos(f for f in drop.files() if not f.lower().endswith(TABLES)) if drop else []
    filed = [replace(row, number=read.filed_number(row)) for row in read.rows]
    answers = read_answers(beside)
    matching = match_photos(files, filed, read_manifest(drop) if drop else None, answers.picks)
    said = settle_consents(read, register)
    before = {
        row.row: standing(row, read, consent_code_of(row, read, said, known.moment), known.kits) for row in read.rows
    }
    open_for = [row.number for row in read.rows if not blocks(before[row.row])]
    verdicts, company, alike = {}, {}, []
    if drop and eyes is not None:
        total = sum(len(matching.by_number.get(number, ())) for number in open_for)
        opened = eyes() if callable(eyes) else eyes
        shown: dict[str, tuple[ComparedPhoto, ...]] = {}
        progress = (lambda done: on_progress("photos", done, total)) if on_progress else None
        limits = _limits(read, opened, known)
        for one in examine(open_for, matching.by_number, drop, opened, lambda _: True, progress, limits=limits):
            verdicts[one.number] = one.verdict
            shown[one.number] = one.verdict.shown
        alike = same_faces(shown, opened.thresholds, opened.limits.duplicate_bits)
        alike = settled_by(alike, answers.two_people | known.two_people)
        company = findings_of(alike)
    people = []
    for row in read.rows:
        closed = blocks(before[row.row])
        verdict = None if closed else verdicts.get(row.number)
        photos = len(matching.by_number.get(read.filed_number(row), ()))
        company_wide = () if closed else company.get(row.number, ())
        unclear = matching.may_be(read.filed_number(row))
        in_use = known.kept.get(read.filed_number(row), 0)
        if in_use and not photos and not closed:
            people.append(as_before(row, before[row.row], EarlierPhotos(in_use, in_use, False, ())))
            continue
        settled = settle(row, before[row.row], photos, verdict, company_wide, unclear, known.base)
        people.append(replace(settled, files=matching.by_number.get(read.filed_number(row), ())))
    looked = bool(drop and eyes is not None)
    return CheckReport(read, said, matching, tuple(people), looked, read_left_out(beside), tuple(alike))


def _limits(roster: Roster, eyes: Eyes, known: _Known) -> Callable[[str], QualityLimits]:
    """By number, since what a photo must show depends on what will be made of it."""
    made = {row.number: (row.generation, known.base, kit_frames(known.frames, row.kit)) for row in roster.rows}
    return lambda number: limits_for(eyes.limits, *made[number])


def write_return_csv(report: CheckReport, path: Path) -> None:
    """`return_table` in a file."""
    path.write_bytes(return_table(report))


def return_table(report: CheckReport) -> bytes:
    """A table for HR to work off and send on: one line per person and finding, safe to open in a spreadsheet. What the
    employee can do is said to the employee, with the file's name; figures stand at the end, for whoever asks."""
    columns = ("number", "name", "row", "state", "for", "file", "what_to_do", "finding", "details")
    header = tuple(tell(f"returned.{column}") for column in columns)
    lines: list[tuple[str, ...]] = []
    for person in report.people:
        who = (person.number, person.name, str(person.row), person.state)
        lines += [
            (*who, "employee", person.file_of(f), f.to_employee, f.code, f.details)
            if f.to_employee
            else (*who, "HR", person.file_of(f), f.sentence, f.code, f.details)
            for f in person.findings
        ] or [(*who, "", "", "", "", "")]
    for state, findings in (("file", report.file_findings), ("photos", report.drop_findings)):
        lines += [("", "", "", state, "HR", "", f.sentence, f.code, f.details) for f in findings]
    return table_csv(header, lines)
