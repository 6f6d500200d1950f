"""A vault with an approved batch: three people approved, one rejected, one blocked, one withdrawn."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from tasks.delivery.handing_over import DeliveryOrder, hand_over
from tasks.delivery.manifest import Manifest
from tasks.delivery.pack import Pack, kit_pack
from tasks.delivery.places import open_destination
from tasks.disclosure.installation import marked
from tasks.disclosure.pattern import MarkKey
from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.kit import BrandKit, load_kit
from tasks.vault.records import Adapter, Batch, Consent, Decision, Employee, Headshot, Seat, Showing
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.images import Picture, encode

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KITS = Path(__file__).resolve().parents[2] / "brand_kits"
PEOPLE = [  # (number, name, state of the seat, lane)
    ("007", "José Núñez", "done", "generated"),
    ("1002", "=Ann & <Co>", "done", "faithful"),
    ("1003", "Sam Lee", "done", "generated"),
    ("1004", "Not Approved", "done", "generated"),
    ("1005", "Not There", "blocked", "generated"),
    ("1006", "Took It Back", "done", "generated"),
]


def employee_id(number: str) -> str:
    return f"p{int(number):015d}"


def finished(kit: BrandKit, seed: int) -> Picture:
    """Something with the kit's size, a textured head at its place, and the kit's backdrop around it."""
    width, height = kit.framing.width, kit.framing.height
    picture = draw_backdrop(kit, width, height)
    x, y, r = int(width * kit.framing.centre), int(height * kit.framing.eye_line), width // 4
    texture = np.random.default_rng(seed).integers(60, 220, (2 * r, 2 * r, 3), dtype=np.uint8)
    picture[max(0, y - r) : y + r, x - r : x + r] = texture[: y + r - max(0, y - r)]
    return picture


SECRET = bytes(range(32))


@lru_cache(maxsize=32)
def _as_kept(name: str, seed: int, lane: str) -> Picture:
    """The same with its mark, as photography keeps it: drawn once for all vaults, which therefore share a secret."""
    kit = load_kit(name, KITS)
    small = kit.model_copy(update={"framing": kit.framing.model_copy(update={"width": 256})})
    return marked(finished(small, seed), MarkKey(SECRET), lane)


@pytest.fixture(scope="session")
def kit() -> BrandKit:
    """A kit of the house at a quarter of its size: what is tried here does not depend on it."""
    kit = load_kit("signal", KITS)
    small = {"framing": kit.framing.model_copy(update={"width": 256})}
    return kit.model_copy(update={**small, "outputs": kit.outputs[:3]})


@pytest.fixture
def vault(tmp_path: Path, kit: BrandKit) -> Iterator[Vault]:
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        fill(opened, kit)
        yield opened


def fill(vault: Vault, kit: BrandKit) -> None:
    with vault.keys.engine.begin() as connection:
        secrets = sa.table("installation_secret", sa.column("name"), sa.column("secret"))
        connection.execute(sa.insert(secrets).values(name="mark", secret=SECRET))
    with vault.session() as session:
        session.add(
            Batch(id="b1", order_key="b1", created_at=NOW, drop="/d", kit=kit.name, quality="draft", base="embedded")
        )
        session.add(
            Adapter(
                digest="a1", employee_id=employee_id("007"), base="embedded", base_fingerprint="f", blob_key="k",
                created_at=NOW,
            )
        )  # fmt: skip
        for position, (number, name, state, _) in enumerate(PEOPLE):
            identity = employee_id(number)
            email = f"{name.split()[-1].lower()}@acme.example" if name.isascii() else ""
            session.add(Employee(id=identity, number=number, name=name, email=email, state="active", updated_at=NOW))
            reason = "no_photos" if state == "blocked" else None
            session.add(Seat(batch_id="b1", employee_id=identity, state=state, reason=reason, position=position))
            session.add(Consent(id=f"c{number}", employee_id=identity, given_at=NOW, withdrawn_at=None))
    for place, (number, _, state, lane) in enumerate(PEOPLE):
        if state == "done":
            add_headshot(vault, kit, number, place, lane, "candidate" if number == "1004" else "approved")
    with vault.session() as session:
        consent = session.get_one(Consent, "c1006")
        consent.withdrawn_at = NOW
        session.add(consent)


def add_headshot(vault: Vault, kit: BrandKit, number: str, seed: int, lane: str, state: str) -> str:
    identity, digest = employee_id(number), f"h{number}-{seed}"
    permit = vault.permit(identity, now=NOW)
    key = vault.write(permit, "headshots", f"{digest}.png", encode(_as_kept(kit.name, seed, lane), "png"), now=NOW)
    with vault.session() as session:
        session.add(
            Headshot(
                digest=digest, employee_id=identity, adapter_digest="a1", kit=kit.name, kit_digest="k",
                shot=seed, seed=seed, lane=lane, finished_key=key, state=state, created_at=NOW,
            )
        )  # fmt: skip
        session.add(Showing(batch_id="b1", headshot_digest=digest, employee_id=identity))
        if state == "approved":
            session.add(
                Decision(
                    id=f"d{digest}", employee_id=identity, headshot_digest=digest, batch_id="b1", kit=kit.name,
                    consent_id=f"c{number}", verdict="approve",
                    by="reviewer", at=NOW.replace(minute=seed),
                )
            )  # fmt: skip
    return digest


def build_pack(
    vault: Vault,
    batch: str,
    kit: BrandKit,
    destination: str | Path,
    *,
    now: datetime,
    names: str = "",
    may_remove: bool = False,
    packs: Sequence[Pack] = (),
) -> Manifest:
    """One delivery at this moment: of the kit's own sizes, unless packs are given."""
    order = DeliveryOrder(batch, kit, tuple(packs) or (kit_pack(kit),), names, may_remove)
    return hand_over(vault, order, lambda: open_destination(str(destination)), lambda: now)
