"""Takes photos into the vault: looked at under a permit, kept only when they will be used, without metadata.

What is kept of an accepted photo is its pixels, encoded anew; of a rejected one only what was measured: it may show
somebody who never agreed. Safe to repeat and to interrupt: a photo is known by the digest of its bytes, and a drop
that was examined under the same rules is not examined again, not even for another batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from tasks.roster.drop import Drop, sort_contents
from tasks.roster.read import read_roster
from tasks.roster.rows import RosterRow
from tasks.roster.whose_photos import answers_about
from tasks.selfies.examine import Examined
from tasks.selfies.findings import Finding, finding
from tasks.selfies.given_by_hr import take_back_moved, without_others_photos
from tasks.selfies.keep import everything_is_kept, kept_before
from tasks.selfies.leave_drop import are_leaving, begin_leaving, let_go, without_left_behind
from tasks.selfies.live_photos import still_photos
from tasks.selfies.look_at_all import Looking, Seated, about, look_at_all
from tasks.selfies.looked_at import LookedAt
from tasks.selfies.manifest import read_manifest
from tasks.selfies.match import Matching, match_photos
from tasks.selfies.people import PersonCheck, as_before, outcome, settle
from tasks.selfies.picks import Answers, read_answers
from tasks.selfies.same_face import findings_of, same_faces, settled_by
from tasks.selfies.size import Frames
from tasks.selfies.two_people import known_two_people
from tasks.vault.batches import load_batch
from tasks.vault.failures import NoConsent
from tasks.vault.records import Batch, EarlierName, Employee, Seat
from tasks.vault.seats import HELD, Lane, checked_move
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes
from tasks.vision.worlds import BaseWorld

# Whoever is blocked by one of these is waited for by nobody: their photos leave an upload, too. A missing consent may
# still come, and a photo that is nobody's may find its owner: those stay, sealed, until the upload's date.
NEVER = frozenset({"consent_withdrawn", "forgotten", "erasing", "left_company"})
RULES = 7  # goes up when a change of the rules makes an old examination wrong


@dataclass(frozen=True)
class Taken:
    """What taking the photos of a batch came to, as numbers."""

    people: int
    ready: int
    blocked: int
    photos: int
    examined: bool  # False: nothing had changed, so nothing was opened


def take_photos(
    vault: Vault,
    batch_id: str,
    drop: Drop,
    open_eyes: Callable[[], Eyes],
    eyes_name: str,
    now: datetime,
    on_photo: Callable[[int, int], None] | None = None,
    base: BaseWorld | None = None,
    frames: Frames = (),
) -> Taken:
    """Examines and keeps everybody's photos, and says in their seats how they stand. `base`: whom it can draw;
    `frames`: what each kit's frame shows."""
    sitters = _sitters(vault, batch_id)
    contents = sort_contents(drop.files())
    rows = _with_locations([s.row for s in sitters], drop, contents.roster)
    answers, earlier = read_answers(drop), _by_earlier_names(vault, sitters)
    answers = replace(answers, two_people=answers.two_people | known_two_people(vault))
    ids, cut_off = {s.row.number: s.employee_id for s in sitters}, are_leaving(vault, batch_id)
    matching = match_photos(still_photos(contents.photos), rows, read_manifest(drop), answers.picks, earlier)
    matching = without_others_photos(vault, ids, matching, drop)
    if cut_off:
        matching = without_left_behind(vault, batch_id, ids, matching, drop)
    said = [*sorted(answers.two_people), *answers_about(vault, [s.employee_id for s in sitters])]
    digest = _digest(sitters, matching, said, drop, f"{eyes_name} {base}" if base else eyes_name, frames)
    count = sum(len(paths) for paths in matching.by_number.values())
    opened = {s.employee_id for s in sitters if not s.blocked}
    if not cut_off and _is_known(vault, batch_id, digest, opened) and everything_is_kept(vault, batch_id):
        blocked = {s.employee_id: _check(s, matching, {}, (), {}, base) for s in sitters if s.blocked}
        _write_seats(vault, batch_id, blocked)
        _note(vault, batch_id, digest, matching)
        return _sum_up(vault, batch_id, count, examined=False)
    take_back_moved(vault, ids, matching, drop)
    done = LookedAt(vault, [RULES, batch_id, eyes_name, base])
    how = Looking(open_eyes(), now, base, frames, done, on_photo)
    checks = _examine_all(vault, batch_id, sitters, matching, answers, drop, how)
    _write_seats(vault, batch_id, checks)
    taken = [s for s in sitters if (not s.blocked and checks[s.employee_id].state == "ready") or _never(s)]
    begin_leaving(vault, batch_id, drop, [s.employee_id for s in taken])
    _note(vault, batch_id, digest, matching)
    done.clear()
    let_go(vault, batch_id, drop, [path for s in taken for path in matching.by_number.get(s.row.number, ())])
    return _sum_up(vault, batch_id, count, examined=True)


def _never(sitter: Seated) -> bool:
    return any(found.code in NEVER for found in sitter.standing)


def _sitters(vault: Vault, batch_id: str) -> list[Seated]:
    """Everybody with a seat, in roster order."""
    own = load_batch(vault, batch_id).kit
    with vault.reading() as session:
        query = (
            select(Seat, Employee)
            .join(Employee, col(Employee.id) == col(Seat.employee_id))
            .where(col(Seat.batch_id) == batch_id)
            .order_by(col(Seat.position), col(Seat.employee_id))
        )
        return [_sitter(seat, employee, own) for seat, employee in session.exec(query)]


def _sitter(seat: Seat, employee: Employee, own_kit: str) -> Seated:
    standing = tuple(Finding(**found) for found in seat.standing)
    row = RosterRow(
        number=employee.number,
        name=employee.name,
        email=employee.email,
        department=employee.department,
        title=employee.title,
        status="active",  # anybody else is blocked by `standing`
        kit=seat.kit or own_kit,
        wardrobe=employee.wardrobe,
        glasses="keep",
        generation=employee.generation,
        consent=None,
        row=seat.row,
    )
    blocked = any(found.severity == "block" for found in standing) or employee.state != "active"
    return Seated(employee.id, row, standing, blocked)


def _with_locations(rows: Sequence[RosterRow], drop: Drop, roster: str) -> list[RosterRow]:
    """Rows with where people work, which settles two of one name and is kept in no record."""
    read = read_roster(drop.read(roster), roster)
    location = {read.filed_number(row): row.location for row in read.rows if row.location}
    return [replace(row, location=location.get(row.number, "")) for row in rows]


def _by_earlier_names(vault: Vault, sitters: Sequence[Seated]) -> list[RosterRow]:
    """Everybody once more under each name they had before: folders of photos may still say so."""
    mine = {s.employee_id: s.row for s in sitters}
    with vault.reading() as session:
        before = session.exec(select(EarlierName).where(col(EarlierName.employee_id).in_(mine)))
        return [replace(mine[was.employee_id], name=was.name, email=was.email) for was in before]


def _digest(
    sitters: Sequence[Seated],
    matching: Matching,
    said: Sequence[tuple[str, str]],
    drop: Drop,
    eyes_name: str,
    frames: Frames,
) -> str:
    """Changes when anything changes that the examination depends on: whose photos are opened, these photos, eyes,
    rules, frames of those who keep their photo, and what HR has said about photos. Whoever is blocked has no part in
    it: somebody without photos who is forgotten meanwhile has nobody else's looked at again."""
    people = [
        [s.employee_id, s.row.generation, [f.code for f in s.standing]]
        + ([] if s.row.generation else [about(s.row, frames)])
        + [drop.stamp(path) for path in matching.by_number.get(s.row.number, ())]
        for s in sitters
        if not s.blocked
    ]
    return hashlib.sha256(json.dumps([RULES, eyes_name, said, people]).encode()).hexdigest()


def _is_known(vault: Vault, batch_id: str, digest: str, opened: set[str]) -> bool:
    """Whether this batch, or another whose result can be taken over, was examined in just this state. `opened`: whose
    photos may be."""
    with vault.session() as session:
        batches = [b for b in session.exec(select(Batch)) if b.facts.get("photos", {}).get("digest") == digest]
        mine = next((b for b in batches if b.id == batch_id), None)
        if mine or not batches:
            return mine is not None
        other = batches[0]
        theirs = {s.employee_id: s for s in session.exec(select(Seat).where(col(Seat.batch_id) == other.id))}
        for seat in session.exec(select(Seat).where(col(Seat.batch_id) == batch_id)):
            if seat.employee_id not in opened:
                continue
            found = theirs.get(seat.employee_id)
            if found is None or found.photos is None:
                return False
            findings = tuple(Finding(**one) for one in found.findings)
            _settle_seat(seat, findings, found.photos, found.accepted, found.few, found.lane)
        batch = session.get_one(Batch, batch_id)
        batch.facts = {**batch.facts, "photos": other.facts["photos"]}
        batch.problems = [*batch.problems, *(p for p in other.problems if p not in batch.problems)]
        return True


def _examine_all(
    vault: Vault,
    batch_id: str,
    sitters: Sequence[Seated],
    matching: Matching,
    answers: Answers,
    drop: Drop,
    how: Looking,
) -> dict[str, PersonCheck]:
    """Employee id → how they stand. Who sent none this time, or none that can be used, is as before."""
    kept = kept_before(vault, batch_id, [s.employee_id for s in sitters])
    brings = {s.row.number for s in sitters if matching.by_number.get(s.row.number)}
    open_for = {
        s.row.number: s for s in sitters if not s.blocked and (s.row.number in brings or s.employee_id not in kept)
    }
    seen = look_at_all(vault, batch_id, open_for, matching, drop, how)
    shown = {number: one.verdict.shown for number, one in seen.verdicts.items()}
    alike = same_faces(shown, how.eyes.thresholds, how.eyes.limits.duplicate_bits)
    company = findings_of(settled_by(alike, answers.two_people))
    checks = {}
    for s in sitters:
        before, verdict = kept.get(s.employee_id), seen.verdicts.get(s.row.number)
        if before is not None and not s.blocked and (verdict is None or not verdict.verdict.accepted):
            standing = (*s.standing, *_refused_since(vault, s, how.now))
            unusable = (finding("photos_kept", before.accepted),) if verdict is not None else ()
            checks[s.employee_id] = as_before(s.row, standing, before, unusable)
            continue
        said = (*company.get(s.row.number, ()), *seen.said.get(s.row.number, ()))
        checks[s.employee_id] = _check(s, matching, seen.verdicts, said, seen.refused, how.base)
    return checks


def _refused_since(vault: Vault, sitter: Seated, now: datetime) -> tuple[Finding, ...]:
    """What the vault says of somebody whose photos are not opened now: withdrawn, or being forgotten, or nothing."""
    try:
        vault.permit(sitter.employee_id, now=now)
    except NoConsent as refusal:
        return (finding(refusal.code),)
    return ()


def _check(
    sitter: Seated,
    matching: Matching,
    verdicts: dict[str, Examined],
    company: Sequence[Finding],
    refused: dict[str, str],
    base: BaseWorld | None,
) -> PersonCheck:
    number = sitter.row.number
    photos, unclear = len(matching.by_number.get(number, ())), matching.may_be(number)
    if sitter.blocked or number not in verdicts:
        # A permit can be refused although the roster step found consent: withdrawn, or being forgotten, since then.
        since = () if sitter.blocked else (finding(refused.get(number, "no_consent")),)
        return settle(sitter.row, (*sitter.standing, *since), photos, None)
    return settle(sitter.row, sitter.standing, photos, verdicts[number].verdict, company, unclear, base)


def _write_seats(vault: Vault, batch_id: str, checks: dict[str, PersonCheck]) -> None:
    with vault.session() as session:
        for seat in session.exec(select(Seat).where(col(Seat.batch_id) == batch_id)):
            check = checks.get(seat.employee_id)
            if check is None:
                continue
            _settle_seat(seat, check.findings, check.photos, check.accepted, check.few, check.lane)


def _settle_seat(seat: Seat, findings: Sequence[Finding], photos: int, accepted: int, few: bool, lane: Lane) -> None:
    """How far somebody has come stays, unless their photos now say something else."""
    said = [found.as_json() for found in findings]
    again = (seat.photos, seat.accepted, seat.lane, seat.findings) != (photos, accepted, lane, said)
    if seat.state in ("ready", "blocked") or (again and seat.state not in HELD):
        state, seat.reason = outcome(findings, lane)
        seat.state = checked_move(seat.state, state)
    seat.findings, seat.photos, seat.accepted, seat.few, seat.lane = said, photos, accepted, few, lane


def _note(vault: Vault, batch_id: str, digest: str, matching: Matching) -> None:
    """Facts and problems of the drop as a whole: counts only."""
    with vault.session() as session:
        batch = session.get_one(Batch, batch_id)
        strays = [found.as_json() for found in matching.findings]
        codes = {found["code"] for found in strays} | {"not_on_roster", "ambiguous_photo"}
        batch.problems = [p for p in batch.problems if p.get("code") not in codes] + strays
        counts = {"unmatched": len(matching.unmatched), "ambiguous": len(matching.ambiguous)}
        batch.facts = {**batch.facts, "photos": {"digest": digest, **counts}}


def _sum_up(vault: Vault, batch_id: str, photos: int, examined: bool) -> Taken:
    with vault.reading() as session:
        query = sa.select(col(Seat.state), sa.func.count()).where(col(Seat.batch_id) == batch_id)
        states = {state: int(number) for state, number in session.execute(query.group_by(col(Seat.state)))}
    people, blocked = sum(states.values()), states.get("blocked", 0)
    return Taken(people, people - blocked, blocked, photos, examined)
