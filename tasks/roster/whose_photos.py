"""The very same photos under two names: HR says whose they are, and may take that back.

Nothing is deleted by an answer, so that it can be undone: photos of the one whose they are not are no longer used, as
if newer ones had replaced them, and whatever was drawn of them is refused in the words of whoever answered. Photos are
remembered by pseudonyms of their bytes, which tell nobody anything once the photo is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.vault.audit_log import Event, append
from tasks.vault.keys import Keyring
from tasks.vault.records import Decision, Employee, Headshot, Question, Selfie, new_id
from tasks.vault.review import event_of, settle_pictures, standing
from tasks.vault.store import Vault

KIND = "whose_photos"
OF, NEITHER = "of:", "of_neither"  # the first followed by the id of the person whose they are


def ask_whose(
    vault: Vault, batch: str, person: str, digests: Collection[str], here: Collection[str], now: datetime
) -> int:
    """How many of these photos, which came for `person`, are kept to the byte for somebody who is not `here`, without
    being known as this person's. HR is asked about them, once; and no more when there are none."""
    mine = select(Question).where(Question.kind == KIND, Question.employee_id == person)
    with vault.reading() as session:
        if not _kept_for(session, digests) and not session.exec(mine).first():
            return 0  # of nearly everybody; and nobody has to wait for the right to write
    with vault.session() as session:
        asked = list(session.exec(mine))
        settled = {photo for one in asked if one.person == person for photo in _photos(one)}
        owners: defaultdict[str, set[str]] = defaultdict(set)
        for digest, owner in _kept_for(session, digests):
            if owner != person and owner not in here and (photo := vault.keys.pseudonym(digest)) not in settled:
                owners[owner].add(photo)
        photos = sorted(set().union(*owners.values()))
        for one in asked:
            if one.answer is None and _photos(one) != photos:
                session.delete(one)
        if photos and not any(_photos(one) == photos and one.answer is None for one in asked):
            candidates = [{"id": one, "by": "photo", "photos": photos} for one in sorted(owners)]
            question = Question(id=new_id("q"), kind=KIND, batch_id=batch, employee_id=person, candidates=candidates,
                                asked_at=now)  # fmt: skip
            session.add(question)
            append(session, [Event("asked", person, question.id, {"kind": KIND}, "roster")], now=now)
        return len(photos)


def not_theirs(vault: Vault, people: Iterable[str]) -> dict[str, set[str]]:
    """Person → pseudonyms of photos that HR has said are not theirs."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    with vault.reading() as session:
        wanted = set(people)
        for one in session.exec(select(Question).where(Question.kind == KIND, col(Question.answer).is_not(None))):
            for person in (_people(one) & wanted) - {one.person}:
                found[person] |= set(_photos(one))
    return dict(found)


def answers_about(vault: Vault, people: Iterable[str]) -> list[tuple[str, str]]:
    """(question, whose) of what HR has said about photos of these people: with another answer they are judged anew."""
    with vault.reading() as session:
        wanted = set(people)
        said = session.exec(select(Question).where(Question.kind == KIND, col(Question.answer).is_not(None)))
        return sorted((one.id, one.person or "") for one in said if _people(one) & wanted)


def carry_out(session: Session, keys: Keyring, question: Question, owner: str | None, by: str, now: datetime) -> None:
    """Nobody but `owner` uses these photos from now on; what was drawn of them for others is refused."""
    question.person = owner
    photos = set(_photos(question))
    for person in sorted(_people(question) - {owner}):
        theirs = select(Selfie).where(Selfie.employee_id == person, col(Selfie.replaced_at).is_(None), Selfie.accepted)
        wrong = [one for one in session.exec(theirs) if keys.pseudonym(one.digest) in photos]
        for selfie in wrong:
            selfie.replaced_at = now
        if wrong:
            _refuse_pictures(session, person, question, by, now)


def take_back(vault: Vault, question_id: str, by: str, now: datetime) -> bool:
    """The answer never was: its photos are used again, its refusals are undone, and the question is open. False where
    there is no such answer."""
    with vault.session() as session:
        question = session.get(Question, question_id)
        if question is None or question.kind != KIND or question.answered_at is None:
            return False
        photos, said = set(_photos(question)), question.answered_at
        for person in sorted(_people(question) - {question.person}):
            wrong = session.exec(select(Selfie).where(Selfie.employee_id == person, Selfie.replaced_at == said))
            for selfie in [one for one in wrong if vault.keys.pseudonym(one.digest) in photos]:
                selfie.replaced_at = None
            _undo_refusals(session, person, question, by, now)
        question.answer = question.person = question.answered_at = None
        question.by = ""
        append(session, [Event("taken_back", question.employee_id, question.id, {"kind": KIND}, "reviewer")], now=now)
    return True


def living(session: Session, question: Question) -> list[Employee]:
    """For whom the photos came, then for whom they were kept; empty when only one of them is left to be asked about."""
    ids = [question.employee_id, *(str(one["id"]) for one in question.candidates)]
    people = [session.get(Employee, one) for one in ids]
    alive = [one for one in people if one is not None and one.state == "active"]
    return alive if len(alive) > 1 and alive[0].id == question.employee_id else []


def _refuse_pictures(session: Session, person: str, question: Question, by: str, now: datetime) -> None:
    shots = session.exec(select(Headshot).where(Headshot.employee_id == person, Headshot.state != "rejected")).all()
    for shot in shots:
        refusal = Decision(id=new_id("d"), employee_id=person, headshot_digest=shot.digest, batch_id=question.batch_id,
                           kit=shot.kit, verdict="reject", by=by, at=now, note="")  # fmt: skip
        session.add(refusal)
        what = {"verdict": "reject", "batch": question.batch_id, "decision": refusal.id}
        append(session, [Event("decide", person, shot.digest, what, "reviewer")], now=now)
    _settle(session, person, {shot.kit for shot in shots})


def _undo_refusals(session: Session, person: str, question: Question, by: str, now: datetime) -> None:
    """Those that this answer made and that nobody has taken back since."""
    mine = select(Decision).where(Decision.employee_id == person, Decision.batch_id == question.batch_id)
    rows = {one.id: one for one in session.exec(mine)}
    newest = {event.picture: event.id for event in standing(event_of(row) for row in rows.values())}
    said = (question.answered_at, question.by, "reject")
    undone = [one for identity in newest.values() if ((one := rows[identity]).at, one.by, one.verdict) == said]
    for one in undone:
        again = Decision(**{**one.model_dump(), "id": new_id("d"), "verdict": "undo", "by": by, "at": now})
        session.add(again)
        what = {"verdict": "undo", "batch": again.batch_id, "decision": again.id}
        append(session, [Event("decide", person, again.headshot_digest or "", what, "reviewer")], now=now)
    _settle(session, person, {one.kit for one in undone})


def _settle(session: Session, person: str, kits: Iterable[str]) -> None:
    for kit in sorted(kits):
        settle_pictures(session, [person], kit)


def _kept_for(session: Session, digests: Collection[str]) -> list[tuple[str, str]]:
    """(photo, person) of those that are kept and in use."""
    kept = sa.and_(col(Selfie.blob_key) != "", col(Selfie.replaced_at).is_(None), col(Employee.state) == "active")
    query = select(Selfie.digest, Selfie.employee_id).join(Employee, col(Employee.id) == col(Selfie.employee_id))
    return list(session.exec(query.where(kept, col(Selfie.digest).in_(sorted(digests)))).all())


def _people(question: Question) -> set[str]:
    return {question.employee_id, *(str(one["id"]) for one in question.candidates)}


def _photos(question: Question) -> list[str]:
    return sorted(question.candidates[0]["photos"]) if question.candidates else []
