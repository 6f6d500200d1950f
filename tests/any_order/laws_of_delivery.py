"""What holds of every delivery: whose picture leaves, which one, and what is taken away from what lay there."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from tasks.roster.questions import waiting_people
from tasks.vault.failures import NoConsent
from tasks.vault.records import Batch, Consent, Decision, Employee, Headshot, Seat
from tasks.vault.review import reviews_of
from tasks.vault.store import Vault
from tasks.vision.images import read_picture
from tests.any_order.company import Company


def who_may_leave(vault: Vault, batch: str, now: datetime) -> dict[str, str]:
    """Person → picture: whoever of this batch is done, waits for no answer, has agreed, and is approved in any."""
    with vault.reading() as session:
        seats = session.exec(select(Seat).where(Seat.batch_id == batch)).all()
        whole, waiting = session.get_one(Batch, batch), waiting_people(session)
        reviews = reviews_of(session, {seat.employee_id: seat.kit or whole.kit for seat in seats})
        people = {one.id: one for one in session.exec(select(Employee))}
        shots = {one.digest: one for one in session.exec(select(Headshot))}
    found = {}
    for seat in seats:
        known, picture = people[seat.employee_id], reviews[seat.employee_id].approved
        with suppress(NoConsent):
            if seat.state in ("done", "flagged") and known.status != "left" and known.id not in waiting and picture:
                vault.permit(known.id, now=now)
                if vault.exists(shots[picture].finished_key):
                    found[known.id] = picture
    return found


def may_be_shown(company: Company, person: str) -> bool:
    """Whether any batch may still show this person: here, employed, and with a consent that stands."""
    with company.vault.reading() as session:
        known = session.get(Employee, person)
    if known is None or known.state != "active" or known.status == "left":
        return False
    with suppress(NoConsent):
        company.vault.permit(person, now=company.now)
        return True
    return False


def were_asked_about(
    company: Company, lay: list[dict[str, Any]], place: Path, batch: str, may: dict[str, str], allowed: bool
) -> None:
    """Of another batch's files none goes but of who is gone, and unasked no more than a tenth of all, but for what was
    replaced. `lay`: what a manifest listed before."""
    lost = [file for file in lay if not (place / file["path"]).exists() and file["employee"] not in may]
    for file in lost:
        with company.vault.reading() as session:
            known = session.get(Employee, file["employee"])
        with suppress(NoConsent):
            company.vault.permit(file["employee"], now=company.now)
            gone = known is None or known.state != "active" or known.status == "left"
            assert gone or file["batch"] == batch, "another batch's"
    assert allowed or len(lost) <= 0.1 * len(lay), "nobody was asked"


def is_theirs(company: Company, person: str, picture: str, file: Path) -> None:
    """Approved by somebody under the name and number of now and a consent that stands; and it shows their face."""
    human = next(one for one in company.people if one.record == person)
    known = company.known(human)
    assert known is not None
    assert known.state == "active"
    with company.vault.reading() as session:
        said = session.exec(select(Decision).where(Decision.employee_id == person)).all()
        consents = session.exec(select(Consent).where(Consent.employee_id == person)).all()
    newest = max((c for c in consents if c.purpose == "headshot"), key=lambda c: (c.given_at, bool(c.withdrawn_at)))
    assert newest.withdrawn_at is None, "without a consent"
    stand = {c.id for c in consents if c.withdrawn_at is None}
    yes = [d for d in said if d.verdict == "approve" and d.headshot_digest == picture]
    assert yes, "nobody approved it"
    assert any(d.consent_id in stand for d in yes), "approved under a consent that was taken back"
    assert any(d.identity == known.identity for d in yes), "approved under another name or number"
    assert read_colour_of(file) == pytest.approx(human.colour, abs=6), "somebody else's face"


def read_colour_of(path: Path) -> tuple[int, int, int]:
    """The colour in the middle of a delivered file."""
    shown = read_picture(path.read_bytes()).picture
    middle = shown[shown.shape[0] // 3 : shown.shape[0] // 2, shown.shape[1] // 3 : shown.shape[1] // 2]
    red, green, blue = middle.reshape(-1, 3).mean(0).round()
    return int(red), int(green), int(blue)
