"""Judging people's pictures from the records: scores, flags and order go into the rows, and each seat moves on.

Vectors and crops of faces live in this process's memory while people are judged, and nowhere else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlmodel import col, select

from tasks import progress
from tasks.adapters.portraits import accepted_selfies
from tasks.headshots.batch_kits import BatchKits
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.measure import PictureMeasures
from tasks.headshots.studio import Flag
from tasks.likeness.choose import GRAVE, NOT_LIKE_THEM, OF_THE_PHOTOS, Candidate, choose
from tasks.likeness.grounds import KnownFace, as_judged, grounds, sitters
from tasks.likeness.judge import Vector
from tasks.likeness.judge_job import (
    JUDGE,
    VECTOR,
    Asking,
    Judges,
    ShotFile,
    ask_vector,
    ask_verdicts,
    judge_shots,
    read_vector,
)
from tasks.likeness.score import LikenessScore
from tasks.sandbox import Opened
from tasks.vault.batches import move_seat
from tasks.vault.leaving import Leavers
from tasks.vault.records import Headshot, Seat, Showing
from tasks.vault.scores import Scores
from tasks.vault.store import Vault
from tasks.vision.faces import Eyes


def pictures_of(vault: Vault, batch: str, employee_id: str, kit: BrandKit) -> list[Headshot]:
    """A person's candidates in this batch under this kit that nobody has retired."""
    query = select(Headshot).join(Showing, col(Showing.headshot_digest) == col(Headshot.digest))
    query = query.where(Headshot.employee_id == employee_id, Headshot.kit_digest == kit_digest(kit))
    query = query.where(Showing.batch_id == batch, col(Showing.retired).is_(False), Headshot.state != "retired")
    with vault.reading() as session:
        return list(session.exec(query.order_by(col(Headshot.digest))))


def first_choice(vault: Vault, batch: str, employee_id: str, kit: BrandKit) -> Headshot | None:
    """The picture that is shown first, once somebody has judged."""
    rows = {row.digest: row for row in pictures_of(vault, batch, employee_id, kit)}
    with vault.reading() as session:
        first = select(Showing.headshot_digest).where(
            Showing.batch_id == batch, Showing.employee_id == employee_id, Showing.choice == 1
        )
        return next((rows[digest] for digest in session.exec(first) if digest in rows), None)


def judge(
    vault: Vault, batch: str, kits: BatchKits, eyes: Eyes, seats: Sequence[Seat], judges: Judges | None = None
) -> None:
    """Scores and orders every picture of these people, against their own selfies and against each other. A picture that
    was judged on the same grounds before keeps its verdict. Without `judges` this process judges with its own eyes."""
    there = sitters(vault, seats)
    piles: dict[str, _Pile] = {}
    for seat in seats:
        kit, owner = kits.of(seat), seat.employee_id
        if kit is None or owner not in there:
            continue  # a kit that broke after the pictures were taken: they wait as they are
        on = grounds(owner, there, kit, eyes)
        rows = [row for row in pictures_of(vault, batch, owner, kit) if row.finished_key]
        standing = [row for row in rows if Scores.from_json(row.scores).judged_on == on]
        piles[owner] = _Pile(seat, kit, on, standing, [row for row in rows if row not in standing])
    for owner, pile in piles.items():
        if not pile.fresh:
            _settle(vault, batch, owner, pile, [])
    company = _company(vault, batch, there, eyes, judges) if any(pile.fresh for pile in piles.values()) else {}
    asked = _questions(vault, batch, {o: p for o, p in piles.items() if p.fresh and o in company}, there, company)
    if judges is None:
        answers: Iterator[tuple[str, list[dict[str, Any]]]] = (
            (owner, judge_shots(question, eyes)) for owner, question in asked
        )
    else:
        jobs = ((owner, ask_verdicts(question, judges)) for owner, question in asked)
        answers = judges.hands.each(JUDGE, jobs, lambda _, opened: list(opened.value))
    for place, (owner, tables) in enumerate(answers):
        _settle(vault, batch, owner, piles[owner], tables)
        progress.tell("score", place + 1, len(piles), owner)


@dataclass(frozen=True)
class _Pile:
    """One person's pictures: those whose verdict stands, and those that want one."""

    seat: Seat
    kit: BrandKit
    on: str  # the grounds of today
    standing: list[Headshot]
    fresh: list[Headshot]


def _photos(vault: Vault, sitter: KnownFace) -> list[bytes]:
    rows = accepted_selfies(vault, sitter.permit.employee_id)
    return [vault.read(sitter.permit, row.blob_key) for row in rows]


def _company(
    vault: Vault, batch: str, there: Mapping[str, KnownFace], eyes: Eyes, judges: Judges | None
) -> dict[str, Vector]:
    """Everybody's vector, a few people's photos open at a time. Who has left, or shows no face in any, is left out."""

    def opened() -> Iterator[tuple[str, list[bytes]]]:
        for owner, sitter in there.items():
            photos: list[bytes] = []
            with Leavers(vault, batch).may_leave(owner):
                photos = _photos(vault, sitter)
            if photos:
                yield owner, photos

    if judges is None:
        found: Iterator[tuple[str, Vector | None]] = ((owner, read_vector(photos, eyes)) for owner, photos in opened())
    else:
        jobs = ((owner, ask_vector(photos, judges)) for owner, photos in opened())
        found = judges.hands.each(VECTOR, jobs, lambda _, answer: _vector(answer))
    company: dict[str, Vector] = {}
    for place, (owner, vector) in enumerate(found):
        if vector is not None:
            company[owner] = vector
        progress.tell("score", place + 1, len(there), owner)
    return company


def _vector(answer: Opened) -> Vector | None:
    return np.frombuffer(answer.blocks[0], np.float32) if answer.blocks else None


def _questions(
    vault: Vault, batch: str, piles: Mapping[str, _Pile], there: Mapping[str, KnownFace], company: Mapping[str, Vector]
) -> Iterator[tuple[str, Asking]]:
    """What is asked about each of these people; their photos and pictures are opened when it is their turn."""
    places = {owner: place for place, owner in enumerate(company)}
    for owner, pile in piles.items():
        question = None
        with Leavers(vault, batch).may_leave(owner):
            shots = [_shot(vault, there[owner], row) for row in pile.fresh]
            question = Asking(
                _photos(vault, there[owner]), shots, pile.kit, there[owner].glasses,
                np.stack(list(company.values())), places[owner],
            )  # fmt: skip
        if question is not None:
            yield owner, question


def _shot(vault: Vault, sitter: KnownFace, row: Headshot) -> ShotFile:
    scores = Scores.from_json(row.scores)
    file = vault.read(sitter.permit, row.finished_key)
    return ShotFile(row.digest, file, scores.measures or {}, row.lane, float(scores.source_inter_eye or 0))


def _settle(vault: Vault, batch: str, owner: str, pile: _Pile, tables: Sequence[Mapping[str, Any]]) -> None:
    """Writes these verdicts beside those that stand, chooses among all, and moves the person's seat on."""
    with Leavers(vault, batch).may_leave(owner):
        vault.permit(owner, now=datetime.now(UTC))  # they may have left while their pictures were judged
        for table in tables:
            if "refused" in table:
                _flag(vault, table["key"], table["refused"])
        judged = {table["key"]: table for table in tables if "refused" not in table}
        fresh = [row for row in pile.fresh if row.digest in judged]
        candidates = [*map(as_judged, pile.standing), *(_candidate(row, judged[row.digest]) for row in fresh)]
        parts = {
            key: {"faithfulness": table["faithfulness"], "kept": table["kept"], "judged_on": pile.on}
            for key, table in judged.items()
        }
        keep_candidates(vault, batch, candidates, parts)
        reason = why_flagged(candidates)
        move_seat(vault, batch, owner, "flagged" if reason else "done", reason)


def _candidate(row: Headshot, table: Mapping[str, Any]) -> Candidate:
    return Candidate(
        row.digest,
        LikenessScore(**table["likeness"], nearest_other=None),
        PictureMeasures.from_json(Scores.from_json(row.scores).measures),
        tuple(Flag(**flag) for flag in table["flags"]),
        table["faithfulness"]["texture_ratio"],
    )


def _flag(vault: Vault, digest: str, code: str) -> None:
    with vault.session() as session:
        row = session.get(Headshot, digest)
        if row is not None:
            row.flags = sorted({*row.flags, code})


def keep_candidates(
    vault: Vault, batch: str, candidates: Sequence[Candidate], tables: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Writes what one person's pictures come to: likeness and flags with the picture, its place with the batch.

    `tables`: by picture, parts of the scores that are new as well.
    """
    with vault.session() as session:
        for choice in choose(candidates):
            candidate = next(one for one in candidates if one.key == choice.key)
            row, shown = session.get(Headshot, choice.key), session.get(Showing, (batch, choice.key))
            if row is None or shown is None:
                continue
            likeness = candidate.likeness.as_json()
            likeness.pop("nearest_other")  # an id of somebody else has no place in this person's record
            scores = replace(
                Scores.from_json(row.scores), likeness=likeness,
                flags=tuple(flag.as_json() for flag in candidate.flags), **(tables or {}).get(choice.key, {}),
            )  # fmt: skip
            row.scores, row.flags = scores.as_json(), [flag.code for flag in candidate.flags]
            shown.choice, shown.why = choice.place, choice.why


def why_flagged(candidates: Sequence[Candidate]) -> str | None:
    """Why a person needs a human's eye: the gravest thing about their best picture; None when it is clean.

    That it is not like them goes before how it is framed: on this word hangs what is done for them next. What no other
    picture can cure comes last.
    """
    if not candidates:
        return "no_face"
    first = choose(candidates)[0].key
    codes = [flag.code for candidate in candidates if candidate.key == first for flag in candidate.flags]
    for graver in (GRAVE, NOT_LIKE_THEM):
        if found := next((code for code in codes if code in graver), None):
            return found
    return next((code for code in codes if code not in OF_THE_PHOTOS), codes[0] if codes else None)
