"""A consent, or its withdrawal, that somebody in HR records by hand: with evidence, dated, and never backwards."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from tasks.roster.by_hand import REFERENCE, Noted, record_consent, record_withdrawal, said_by
from tasks.vault.failures import NoConsent, NotLikeThis
from tasks.vault.records import AuditEntry, Consent, Employee
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FORM = Noted("signed_form", "folder 7", datetime(2026, 11, 2, tzinfo=UTC), "r-hannah")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        with opened.session() as session:
            for identity, state in (("p1", "active"), ("p2", "erased")):
                session.add(Employee(id=identity, number=identity, state=state, updated_at=NOW))
        yield opened


def refused(vault: Vault, person: str, noted: Noted) -> str:
    with pytest.raises(NotLikeThis) as why:
        record_consent(vault, person, noted, "v1", NOW)
    with vault.reading() as session:
        assert not session.exec(select(Consent)).all()
    return str(why.value)


def test_a_form_in_hand_opens_the_photos_and_says_what_shows_it_and_who_noted_it(vault: Vault) -> None:
    with pytest.raises(NoConsent):
        vault.permit("p1", now=NOW)
    record_consent(vault, "p1", FORM, " v1 ", NOW)
    vault.permit("p1", now=NOW)
    with vault.reading() as session:
        [consent] = session.exec(select(Consent)).all()
        [entry] = session.exec(select(AuditEntry).where(AuditEntry.action == "consent_recorded")).all()
    assert (consent.text_version, consent.given_at) == ("v1", FORM.when)
    noted = said_by(consent.source)
    assert noted is not None
    assert (noted.evidence, noted.reference, noted.author) == ("signed_form", "folder 7", "r-hannah")
    assert entry.actor == "r-hannah"
    assert said_by("consents.csv") is None
    assert said_by("file|signed_form|folder 7|r-hannah") is None, "what was read in a file was noted by nobody"


def test_a_line_in_the_reference_does_not_become_another_field() -> None:
    noted = said_by(replace(FORM, reference=" shelf | 3 ").source())
    assert noted is not None
    assert (noted.reference, noted.author) == ("shelf   3", "r-hannah")


def test_what_cannot_be_meant_is_refused_in_words_and_nothing_is_written(vault: Vault) -> None:
    assert "what shows it" in refused(vault, "p1", replace(FORM, evidence="rumour"))
    assert f"at most {REFERENCE}" in refused(vault, "p1", replace(FORM, reference="x" * (REFERENCE + 1)))
    assert "not come yet" in refused(vault, "p1", replace(FORM, when=NOW + timedelta(days=1)))
    assert "forgotten" in refused(vault, "p2", FORM)
    assert "forgotten" in refused(vault, "nobody", FORM)
    record_consent(vault, "p1", replace(FORM, reference="x" * REFERENCE, when=NOW + timedelta(hours=1)), "v1", NOW)


def test_a_withdrawal_counts_from_the_moment_it_is_known_and_only_a_later_yes_opens_again(vault: Vault) -> None:
    with pytest.raises(NotLikeThis, match="nothing to take back"):
        record_withdrawal(vault, "p1", FORM, NOW)
    record_consent(vault, "p1", FORM, "v1", NOW)
    record_consent(vault, "p1", replace(FORM, evidence="email"), "v2", NOW)
    assert record_withdrawal(vault, "p1", replace(FORM, evidence="letter"), NOW) == 2
    with pytest.raises(NoConsent):
        vault.permit("p1", now=NOW)
    with vault.reading() as session:
        assert [one.withdrawn_at for one in session.exec(select(Consent))] == [NOW, NOW]
    with pytest.raises(NotLikeThis, match="dated after"):
        record_consent(vault, "p1", replace(FORM, when=NOW), "v1", NOW)
    later = NOW + timedelta(minutes=1)
    record_consent(vault, "p1", replace(FORM, when=later), "v1", later)
    vault.permit("p1", now=later)
