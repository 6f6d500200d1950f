"""A take-in that was killed looks at nobody's photos twice who was done, and ends as if nothing had happened."""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import select

from tasks.roster.consents import read_consents
from tasks.roster.intake import admit, seat_everybody
from tasks.roster.open_drop import open_drop
from tasks.roster.read import read_roster
from tasks.selfies import examine
from tasks.selfies.intake import take_photos
from tasks.selfies.keep import take_back
from tasks.selfies.look import Look, look_at
from tasks.selfies.looked_at import KIND, LookedAt
from tasks.vault.batches import Order, open_batch, seats_of
from tasks.vault.records import Artifact, Consent, Employee, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.faces import Around, Eyes, Lids
from tasks.vision.flaws import Flaws
from tasks.vision.quality import Quality

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ROSTER = "Employee ID,Name\n1,Ann\n2,Bob\n3,Cy\n"
CONSENTS = "Employee ID,Purpose,Given at\n1,headshot,2026-10-01\n2,headshot,2026-10-01\n3,headshot,2026-10-01\n"


@pytest.fixture
def drop(make_drop: Callable[..., Path], card: Callable[..., bytes]) -> Path:
    """Ann has a photo of somebody else among hers, and Cy's are of Ann's face."""
    files = {f"selfies/1/{i}.jpg": card("red", i) for i in range(3)} | {"selfies/1/other.jpg": card("blue", 9)}
    files |= {f"selfies/2/{i}.jpg": card("green", 10 + i) for i in range(3)}
    files |= {f"selfies/3/{i}.jpg": card("red", 20 + i) for i in range(3)}
    return make_drop(ROSTER, CONSENTS, files)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def killed(home: Settings, drop: Path, eyes: Eyes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """A vault in which a run was killed between two photos of Bob's, when Ann was done."""
    with open_vault(home) as vault:
        seat(vault, drop)
    child = os.fork()
    if child == 0:
        with open_vault(home) as vault:
            monkeypatch.setattr(examine, "look_at", dying(vault, digest_of(drop, "2/1")))
            take(vault, drop, eyes)
        os._exit(1)  # it should not have come so far
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    with open_vault(home) as vault:
        yield vault


def seat(vault: Vault, drop: Path) -> str:
    batch = open_batch(vault, Order(str(drop), "harbour", "draft", "embedded"), NOW)
    opened = open_drop(str(drop), vault)
    roster = read_roster(opened.read("roster.csv"), "roster.csv")
    register = read_consents(opened.read("consents.csv"), "consents.csv")
    seat_everybody(vault, batch, admit(vault, roster, register, NOW), roster)
    return batch


def take(vault: Vault, drop: Path, eyes: Eyes, seen: list[int] | None = None) -> list[Seat]:
    batch = seat(vault, drop)
    count = seen.append if seen is not None else (lambda _number: None)
    take_photos(vault, batch, open_drop(str(drop), vault), lambda: eyes, "cards", NOW, lambda done, total: count(done))
    return seats_of(vault, batch)


def dying(vault: Vault, at: str) -> Callable[..., Any]:
    """Looks, and dies with this photo before its eyes, once somebody is done."""

    def look(data: bytes, *given: Any, **more: Any) -> Any:
        if hashlib.sha256(data).hexdigest() == at:
            while not any(vault.exists(key) for key in looks(vault)):
                time.sleep(0.005)
            os.kill(os.getpid(), signal.SIGKILL)
        return look_at(data, *given, **more)

    return look


def digest_of(drop: Path, photo: str) -> str:
    return hashlib.sha256((drop / "selfies" / f"{photo}.jpg").read_bytes()).hexdigest()


def looks(vault: Vault) -> list[str]:
    with vault.reading() as session:
        return list(session.exec(select(Artifact.key).where(Artifact.kind == KIND)))


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of the photos that are looked at from here on."""
    seen: list[str] = []

    def look(data: bytes, *given: Any, **more: Any) -> Any:
        seen.append(hashlib.sha256(data).hexdigest())
        return look_at(data, *given, **more)

    monkeypatch.setattr(examine, "look_at", look)
    return seen


def told(seats: list[Seat]) -> list[tuple[Any, ...]]:
    return [(s.state, s.reason, s.photos, s.accepted, s.few, s.lane, [f["code"] for f in s.findings]) for s in seats]


def test_who_was_done_is_not_looked_at_again_and_the_end_is_the_same(
    killed: Vault, drop: Path, eyes: Eyes, looked: list[str], tmp_path: Path
) -> None:
    counted: list[int] = []
    after = told(take(killed, drop, eyes, counted))
    assert sorted(looked) == sorted(digest_of(drop, f"{person}/{i}") for person in "23" for i in range(3))
    assert counted[-1] == 10, "progress counts everybody's"
    with open_vault(Settings(home=tmp_path / "undisturbed")) as vault:
        assert told(take(vault, drop, eyes)) == after
    assert "same_face_two_names" in after[0][-1], "it takes what was seen of Ann to find her face at Cy"


def test_nothing_of_it_is_left_once_everybodys_photos_are_in(killed: Vault, drop: Path, eyes: Eyes) -> None:
    (mine,) = looks(killed)
    assert killed.exists(mine)
    take(killed, drop, eyes)
    assert looks(killed) == []
    assert not killed.exists(mine)


def test_it_is_sealed_under_its_persons_own_key(killed: Vault) -> None:
    (mine,) = looks(killed)
    assert b"looks" not in killed.blobs.get(mine)


def test_photos_that_were_changed_meanwhile_are_looked_at(
    killed: Vault, drop: Path, eyes: Eyes, looked: list[str], card: Callable[..., bytes]
) -> None:
    (drop / "selfies" / "1" / "0.jpg").write_bytes(card("red", 77))
    take(killed, drop, eyes)
    assert digest_of(drop, "1/0") in looked


def test_photos_that_are_not_kept_any_more_are_looked_at(
    killed: Vault, drop: Path, eyes: Eyes, looked: list[str]
) -> None:
    take_back(killed, {digest_of(drop, "1/0")}, None)
    take(killed, drop, eyes)
    assert digest_of(drop, "1/0") in looked


def test_who_took_their_leave_back_meanwhile_is_not_gone_on_with(killed: Vault, drop: Path, eyes: Eyes) -> None:
    with killed.session() as session:
        ann = session.exec(select(Employee).where(Employee.number == "1")).one()
        session.exec(select(Consent).where(Consent.employee_id == ann.id)).one().withdrawn_at = NOW
    batch = open_batch(killed, Order(str(drop), "harbour", "draft", "embedded"), NOW)
    take_photos(killed, batch, open_drop(str(drop), killed), lambda: eyes, "cards", NOW)
    assert seats_of(killed, batch)[0].state == "blocked"


def test_a_look_comes_back_as_it_was(home: Settings, add_somebody: Callable[[Vault], str]) -> None:
    whole = Look(
        "d" * 64, 3, 4, 2, 0.25, Quality(*[0.1 * n for n in range(1, 12)]), 2**63 + 1, 7, np.float32([0.1, -2e-8]), 0.9,
        1.5, Flaws(*[0.3] * 6), Around(1, 2, 3, 4), 77, Lids(0.1, 0.2, 0.3), 2.5, 1, True, ("code", "1", "2"), "who",
    )  # fmt: skip
    with open_vault(home) as vault:
        permit = vault.permit(add_somebody(vault), now=NOW)
        LookedAt(vault, "state").put(permit, ["a"], [whole, Look()], (), NOW)
        again = LookedAt(vault, "state").get(permit, ["a"])
        assert LookedAt(vault, "another").get(permit, ["a"]) is None
    assert again is not None
    (found, empty), said = again
    for one in fields(Look):
        assert np.array_equal(getattr(found, one.name), getattr(whole, one.name)), one.name
    assert (empty, said) == (Look(), ())


@pytest.fixture
def add_somebody() -> Callable[[Vault], str]:
    def add(vault: Vault) -> str:
        with vault.session() as session:
            session.add(Employee(id="p1", number="1", name="Ann", updated_at=NOW))
            session.add(Consent(id="c1", employee_id="p1", given_at=NOW))
        return "p1"

    return add
