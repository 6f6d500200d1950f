"""Vectors with known angles, measures of a picture on which nothing is wrong, and a vault with a batch in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthetic.painter.capture import CaptureWish, draw_capture
from synthetic.painter.identity import draw_identity
from synthetic.painter.painting import paint
from tasks.headshots.kit import BrandKit, kit_digest, load_kit
from tasks.headshots.measure import PictureMeasures
from tasks.shipped import SHIPPED
from tasks.vault.batches import Order, open_batch, seats_of
from tasks.vault.consent import Permit
from tasks.vault.records import Consent, Employee, Headshot, Seat, Selfie, Showing
from tasks.vault.seats import State
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.faces import Eyes, Thresholds
from tasks.vision.images import Picture, encode
from tasks.vision.open_eyes import open_eyes

Vector = np.ndarray


@pytest.fixture(scope="session")
def kit() -> BrandKit:
    return load_kit("northwind", SHIPPED / "brand_kits")


@pytest.fixture(scope="session")
def thresholds() -> Thresholds:
    """As fitted for a public encoder."""
    return Thresholds(
        same=0.40, belongs=0.30, stranger=0.25, twin_folder=0.50, likeness_slope=36.7, likeness_bias=-9.3,
        margin=0.10, likeness=0.40,
    )  # fmt: skip


@pytest.fixture(scope="session")
def near() -> Callable[[Vector, float, int], Vector]:
    """A unit vector at a given cosine from another, in a direction drawn by a seed."""

    def draw(vector: Vector, cosine: float, seed: int) -> Vector:
        other = np.random.default_rng(seed).standard_normal(vector.size)
        other -= (other @ vector) * vector
        other /= np.linalg.norm(other)
        return (cosine * vector + np.sqrt(1 - cosine**2) * other).astype(np.float32)

    return draw


@pytest.fixture(scope="session")
def clean(kit: BrandKit) -> PictureMeasures:
    frame = kit.framing
    return PictureMeasures(
        background=0.2, background_lab=(78.0, -1.0, -8.0), halo=0.8, holes=0.0, eye_line=frame.eye_line,
        centre=frame.centre, inter_eye=frame.inter_eye, head_height=frame.head_height, headroom=0.06, roll=0.2,
        light_left_right=0.6, light_top_bottom=0.3, contrast=1.5, skin_ita=30.0, skin_lab=(62.0, 14.0, 20.0),
        texture=1.0, sharpness=0.08,
    )  # fmt: skip


SEEDS = {"p0": 910_010, "p1": 910_011, "p2": 910_012, "p3": 910_013}


@pytest.fixture(scope="session")
def eyes() -> Eyes:
    return open_eyes("embedded")


@pytest.fixture(scope="session")
def paintings() -> dict[str, tuple[list[Picture], Picture]]:
    """Four people who do not exist: selfies, and a studio picture."""
    drawn = {}
    for number, (one, seed) in enumerate(SEEDS.items()):
        person = draw_identity(seed)
        selfies = [
            paint(person, draw_capture(50 * number + shot, person, "selfie"), 256, 1.0).picture for shot in range(3)
        ]
        studio = paint(
            person, draw_capture(900 + number, person, "studio", CaptureWish(frontal=0.8)), 256, 1.0, "aligned"
        )
        drawn[one] = selfies, studio.picture
    return drawn


NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@dataclass(frozen=True)
class House:
    """A vault with one batch, in which people can be seated and photographed without a base model."""

    vault: Vault
    batch: str
    kit: BrandKit

    def seat(self, employee_id: str, cohort: int = 0, state: State = "done", **notes: Any) -> None:
        """Somebody with consent and a seat."""
        with self.vault.session() as session:
            session.add(Employee(id=employee_id, number=employee_id, updated_at=NOW))
            session.add(Consent(id=f"c{employee_id}", employee_id=employee_id, given_at=NOW))
            session.add(
                Seat(
                    batch_id=self.batch, employee_id=employee_id, state=state, cohort=cohort,
                    **notes,
                )
            )  # fmt: skip

    def selfie(self, employee_id: str, name: str, picture: Picture) -> None:
        """An accepted selfie."""
        key = self.vault.write(self.permit(employee_id), "selfies", f"{name}.png", encode(picture, "png"))
        with self.vault.session() as session:
            session.add(
                Selfie(
                    id=f"s{name}", employee_id=employee_id, digest=name, blob_key=key, width=picture.shape[1],
                    height=picture.shape[0], created_at=NOW,
                )
            )  # fmt: skip

    def headshot(
        self, employee_id: str, digest: str, measures: PictureMeasures, picture: Picture | None = None,
        relative: float = 1.0, choice: int = 1, **row: object,
    ) -> None:  # fmt: skip
        """A finished and judged picture with nothing wrong."""
        drawn = picture if picture is not None else np.zeros((8, 8, 3), np.uint8)
        key = self.vault.write(self.permit(employee_id), "headshots", f"{digest}.png", encode(drawn, "png"))
        scores = {
            "likeness": {
                "likeness": 0.8, "relative": relative, "probability": 0.9, "rank": 1, "margin": 0.4, "copied": False
            },
            "measures": measures.as_json(), "flags": [], "source_inter_eye": 24.0,
            "faithfulness": {
                "skin_shift": 0.5, "skin_limit": 12.0, "texture_ratio": 1.0, "reference_ita": 30.0
            },
        }  # fmt: skip
        values = {
            "digest": digest, "employee_id": employee_id, "kit": "northwind",
            "kit_digest": kit_digest(self.kit), "shot": 0, "seed": 1, "original_key": key, "finished_key": key,
            "scores": scores, "created_at": NOW,
        }  # fmt: skip
        with self.vault.session() as session:
            session.add(Headshot(**(values | row)))
            session.add(Showing(batch_id=self.batch, headshot_digest=digest, employee_id=employee_id, choice=choice))

    def permit(self, employee_id: str) -> Permit:
        return self.vault.permit(employee_id, now=NOW)

    def stands(self, employee_id: str) -> tuple[str, str | None]:
        """State and reason of somebody's seat."""
        seat = self.seat_of(employee_id)
        return seat.state, seat.reason

    def seat_of(self, employee_id: str) -> Seat:
        return next(seat for seat in seats_of(self.vault, self.batch) if seat.employee_id == employee_id)

    def row(self, digest: str) -> Headshot:
        with self.vault.reading() as session:
            return session.get_one(Headshot, digest)

    def showing(self, digest: str) -> Showing:
        """A picture's place in the batch."""
        with self.vault.reading() as session:
            return session.get_one(Showing, (self.batch, digest))


@pytest.fixture
def house(tmp_path: Path, kit: BrandKit) -> Iterator[House]:
    with open_vault(Settings(home=tmp_path / "home")) as vault:
        yield House(vault, open_batch(vault, Order("/drop", "northwind", "draft", "embedded"), NOW), kit)
