"""A permit comes from a standing consent, from this vault's process, and from nowhere else."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tasks.vault.consent import Permit
from tasks.vault.failures import Fenced, NoConsent
from tasks.vault.records import Consent, Employee
from tasks.vault.store import Vault

Add = Callable[..., str]


def _consent(
    vault: Vault, id: str, given: datetime, withdrawn: datetime | None = None, purpose: str = "headshot"
) -> None:
    with vault.session() as session:
        session.add(Consent(id=id, employee_id="p1", given_at=given, withdrawn_at=withdrawn, purpose=purpose))


def _code(vault: Vault, now: datetime) -> str:
    with pytest.raises(NoConsent) as caught:
        vault.permit("p1", now=now)
    return caught.value.code


def test_no_consent_no_permit(vault: Vault, add_person: Add, now: datetime) -> None:
    assert _code(vault, now) == "no_consent"
    add_person(vault, consent=False)
    assert _code(vault, now) == "no_consent"


def test_another_purpose_is_another_purpose(vault: Vault, add_person: Add, now: datetime) -> None:
    add_person(vault, consent=False)
    _consent(vault, "c1", now, purpose="newsletter")
    assert _code(vault, now) == "consent_other_purpose"


def test_withdrawn_is_withdrawn_whatever_the_date_says(vault: Vault, add_person: Add, now: datetime) -> None:
    add_person(vault, consent=False)
    _consent(vault, "c1", now - timedelta(days=9), withdrawn=now + timedelta(days=30))
    assert _code(vault, now) == "consent_withdrawn"


def test_given_again_after_a_withdrawal(vault: Vault, add_person: Add, now: datetime) -> None:
    add_person(vault, consent=False)
    _consent(vault, "c1", now - timedelta(days=9), withdrawn=now - timedelta(days=5))
    _consent(vault, "c2", now - timedelta(days=1))
    assert vault.permit("p1", now=now).consent_id == "c2"


def test_a_consent_from_the_future_does_not_count_yet(vault: Vault, add_person: Add, now: datetime) -> None:
    add_person(vault, consent=False)
    _consent(vault, "c1", now + timedelta(days=3))
    assert _code(vault, now) == "no_consent"
    _consent(vault, "c2", now + timedelta(hours=11))  # a register kept in Auckland
    assert vault.permit("p1", now=now)


def test_two_consents_of_one_moment_the_withdrawn_one_counts(vault: Vault, add_person: Add, now: datetime) -> None:
    add_person(vault, consent=False)
    _consent(vault, "c1", now, withdrawn=now)
    _consent(vault, "c2", now)
    assert _code(vault, now) == "consent_withdrawn"


def test_nobody_being_forgotten_gets_a_permit(vault: Vault, add_person: Add, now: datetime) -> None:
    add_person(vault)
    with vault.session() as session:
        session.get_one(Employee, "p1").state = "erasing"
    with pytest.raises(Fenced, match="erasing"):
        vault.permit("p1", now=now)


def test_a_permit_cannot_be_made_changed_or_sent(vault: Vault, add_person: Add, now: datetime) -> None:
    add_person(vault)
    permit = vault.permit("p1", now=now)
    with pytest.raises(PermissionError):
        Permit("p2", "headshot", 0, "c", b"\0" * 32)
    with pytest.raises(PermissionError):
        Permit("p2", "headshot", 0, "c", permit._seal)
    with pytest.raises(PermissionError):
        dataclasses.replace(permit, employee_id="p2")
    with pytest.raises(PermissionError):
        pickle.dumps(permit)
    with pytest.raises(PermissionError):
        copy.copy(permit)
    with pytest.raises(PermissionError):
        type("Fake", (Permit,), {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        permit.epoch = 5  # type: ignore[misc]
    hollow = object.__new__(Permit)
    with pytest.raises(PermissionError):
        vault.write(hollow, "selfies", "1", b"x")
    for name, value in {
        "employee_id": "p1",
        "purpose": "headshot",
        "epoch": 0,
        "consent_id": "c-p1",
        "_seal": b"",
    }.items():
        object.__setattr__(hollow, name, value)
    with pytest.raises(PermissionError):
        vault.write(hollow, "selfies", "1", b"x")


def test_a_permit_says_no_more_than_ids(vault: Vault, add_person: Add, now: datetime) -> None:
    add_person(vault)
    assert repr(vault.permit("p1", now=now)) == "Permit(p1, headshot, epoch 0)"
