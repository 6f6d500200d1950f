"""Consent as a type: pictures and adapters open only to a `Permit`, and only this module can make one.

A permit is sealed with a secret that lives in this process and nowhere else, so it cannot be built, copied with
changes, pickled or sent. It names the person, the purpose and the epoch it was given in; the fence of an erasure
moves the epoch on, which ends every permit given before.
"""

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, NoReturn, final

from tasks.vault.failures import Fenced, Forgotten, NoConsent
from tasks.vault.records import Consent, Employee

Purpose = Literal["headshot"]

# A consent dated by a register in another time zone can lie some hours ahead of our clock, never more than a day.
_CLOCK_TOLERANCE = timedelta(days=1)
_SECRET = os.urandom(32)


@final
@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to handle one person's pictures for one purpose. Obtained from `Vault.permit`."""

    employee_id: str
    purpose: str
    epoch: int
    consent_id: str
    _seal: bytes

    def __post_init__(self) -> None:
        if not _is_genuine(self):
            raise PermissionError("a permit is given by a vault, not made")

    def __init_subclass__(cls) -> NoReturn:
        raise PermissionError("a permit has no other kinds")

    def __reduce__(self) -> NoReturn:
        raise PermissionError("a permit does not leave its process")

    def __repr__(self) -> str:
        return f"Permit({self.employee_id}, {self.purpose}, epoch {self.epoch})"


def give_permit(
    employee: Employee | None,
    consents: Sequence[Consent],
    purpose: str,
    now: datetime,
    forgotten_at: datetime | None = None,
) -> Permit:
    """A permit for this person, when their latest consent for this purpose stands; NoConsent with a code when not.

    `forgotten_at`: when a person of this number was forgotten. What was agreed to before that died with the rest.
    """
    if employee is None:
        raise NoConsent("no_consent")
    if employee.state != "active":
        raise Fenced("erasing", employee.id)
    if forgotten_at is not None:
        consents = [one for one in consents if one.given_at > forgotten_at]
        if not consents:
            raise Forgotten(employee.id, forgotten_at)
    consent = _standing_consent(employee.id, consents, purpose, now)
    seal = _seal_of(employee.id, purpose, employee.epoch, consent.id)
    return Permit(employee.id, purpose, employee.epoch, consent.id, seal)


def _standing_consent(employee_id: str, consents: Sequence[Consent], purpose: str, now: datetime) -> Consent:
    given = [one for one in consents if one.given_at <= now + _CLOCK_TOLERANCE]
    fitting = [one for one in given if one.purpose == purpose]
    if not fitting:
        raise NoConsent("consent_other_purpose" if given else "no_consent", employee_id)
    latest = max(fitting, key=lambda one: (one.given_at, one.withdrawn_at is not None, one.id))
    # A withdrawal counts from the moment it is known, whatever date it bears.
    if latest.withdrawn_at is not None:
        raise NoConsent("consent_withdrawn", employee_id)
    return latest


def check_permit(permit: Permit, employee: Employee | None, consent: Consent | None) -> None:
    """Refuse a permit that is not ours, was overtaken by a fence, or whose consent was withdrawn since."""
    require_permit(permit)
    if employee is None or employee.state != "active" or employee.epoch != permit.epoch:
        raise Fenced("erasing", permit.employee_id)
    if consent is None or consent.withdrawn_at is not None:
        raise Fenced("consent_withdrawn", permit.employee_id)


def require_permit(permit: Permit) -> None:
    """Refuse whatever a vault of this process did not give."""
    if type(permit) is not Permit or not _is_genuine(permit):
        raise PermissionError("not a permit")


def _is_genuine(permit: Permit) -> bool:
    try:
        expected = _seal_of(permit.employee_id, permit.purpose, permit.epoch, permit.consent_id)
        return hmac.compare_digest(permit._seal, expected)
    except (AttributeError, TypeError):  # built around the constructor, without its fields
        return False


def _seal_of(employee_id: str, purpose: str, epoch: int, consent_id: str) -> bytes:
    return hmac.new(_SECRET, "\0".join((employee_id, purpose, str(epoch), consent_id)).encode(), sha256).digest()
