"""Photos in the vault: which are in use, and what an upload changes about those that were there."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlmodel import select

from tasks.selfies.examine import Examined
from tasks.selfies.judge import SelfieVerdict
from tasks.selfies.judge_set import SetVerdict
from tasks.selfies.keep import everything_is_kept, keep_photos, photos_in_use
from tasks.selfies.look import KeptPhoto, Look
from tasks.vault.batches import Order, open_batch
from tasks.vault.records import Consent, Employee, Seat, Selfie
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.images import encode

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        with opened.session() as session:
            for one in ("p1", "p2"):
                session.add(Employee(id=one, number=f"n-{one}", state="active", updated_at=NOW))
                session.add(Consent(id=f"c-{one}", employee_id=one, given_at=NOW))
        yield opened


def send(vault: Vault, person: str, *grains: int, days: int = 0) -> None:
    """An upload with one accepted photo for each grain, so many days later."""
    now = NOW + timedelta(days=days)
    photos = [encode(np.full((8, 8, 3), grain, np.uint8), "png") for grain in grains]
    looks = tuple(Look(digest=hashlib.sha256(photo).hexdigest(), width=8, height=8) for photo in photos)
    verdicts = tuple(SelfieVerdict(place, True) for place, _ in enumerate(photos, start=1))
    seen = Examined(f"n-{person}", tuple(f"{grain}.png" for grain in grains), looks, SetVerdict(verdicts, ()),
                    tuple(KeptPhoto(photo, photo) for photo in photos))  # fmt: skip
    keep_photos(vault, vault.permit(person, now=now), seen, now, now)


def replaced(vault: Vault, person: str) -> list[datetime | None]:
    with vault.reading() as session:
        mine = session.exec(select(Selfie).where(Selfie.employee_id == person)).all()
    return [one.replaced_at for one in sorted(mine, key=lambda one: one.created_at)]


def test_newer_photos_replace_and_say_when_and_a_third_upload_leaves_that_day_as_it_was(vault: Vault) -> None:
    send(vault, "p1", 10)
    send(vault, "p1", 20, days=1)
    assert replaced(vault, "p1") == [NOW + timedelta(days=1), None]
    send(vault, "p1", 30, days=2)
    assert replaced(vault, "p1") == [NOW + timedelta(days=1), NOW + timedelta(days=2), None]


def test_of_whom_how_many_photos_are_in_use(vault: Vault) -> None:
    assert photos_in_use(vault) == {}
    send(vault, "p1", 10, 20)
    send(vault, "p2", 30)
    send(vault, "p2", 40, 50, 60, days=1)
    assert photos_in_use(vault) == {"n-p1": 2, "n-p2": 3}
    with vault.session() as session:
        first, second, *_ = session.exec(select(Selfie).where(Selfie.employee_id == "p2", Selfie.replaced_at == None))  # noqa: E711
        first.accepted, second.blob_key = False, ""
        session.get_one(Employee, "p1").state = "erasing"
    assert photos_in_use(vault) == {"n-p2": 1}, "of two thirds nothing is kept, and of whoever is being forgotten"


def test_a_batch_whose_photos_are_gone_is_taken_in_again(vault: Vault) -> None:
    send(vault, "p1", 10, 20)
    send(vault, "p2", 30)
    batch = open_batch(vault, Order("/drop", "northwind", "draft", "embedded"), NOW)
    with vault.session() as session:
        session.add(Seat(batch_id=batch, employee_id="p1", state="ready", accepted=2))
    assert everything_is_kept(vault, batch) is True
    with vault.reading() as session:
        key = session.exec(select(Selfie.blob_key).where(Selfie.employee_id == "p1")).first()
    vault.delete(key or "")
    assert everything_is_kept(vault, batch) is False, "its row is there and its blob is not"
