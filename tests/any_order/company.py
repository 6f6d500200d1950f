"""A small company that lives: people marry, leave, withdraw; a drop of theirs is taken in, photographed, reviewed.

The real steps do the work on real SQLite. Only what takes nets is made cheaply: a photo is one colour, which is its
person's; learning (`classroom.py`) carries the colour of the photos over into the adapter, and drawing that of the
adapter into the picture. So whose face a picture shows can be read off it, whatever the records believe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlmodel import col, select

from tasks.headshots.kit import BrandKit, kit_digest, load_kit
from tasks.headshots.photographing import Studio, kept, retire_superseded, show, sittings
from tasks.roster.consents import read_consents
from tasks.roster.intake import Admission, admit, note_roster, seat_everybody
from tasks.roster.questions import ask_about_missing
from tasks.roster.read import read_roster
from tasks.roster.recorded_consents import withdraw_at_once
from tasks.selfies.examine import Examined
from tasks.selfies.judge import SelfieVerdict
from tasks.selfies.judge_set import SetVerdict
from tasks.selfies.keep import keep_photos
from tasks.selfies.look import KeptPhoto, Look
from tasks.shipped import SHIPPED
from tasks.vault.batches import (
    Order,
    drop_since,
    load_batch,
    move_seat,
    open_batch,
    seat_cohorts,
    seats_of,
    take_version,
)
from tasks.vault.failures import NoConsent
from tasks.vault.lease import AlreadyBeingMade, end_lease, take_lease
from tasks.vault.records import Adapter, Employee, Headshot, Seat, Selfie, Showing
from tasks.vault.seats import TO_LEARN, TO_PHOTOGRAPH
from tasks.vault.store import Vault
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.images import encode
from tests.any_order.classroom import Classroom

KITS = ("northwind", "harbour")
BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
CARD = load_base_card("embedded", SHIPPED / "base_models")
SIDE = 96  # px of everything that is drawn here


@dataclass
class Human:
    """Somebody as they really are; what the records believe is compared with this."""

    index: int
    number: str
    name: str
    email: str
    listed: bool = True
    status: str = "Active"
    generation: bool = True
    kit: str = ""
    photos: int = 1  # how many times they have sent photos
    consents: list[list[str]] = field(default_factory=list)  # lines of the register: number, given, withdrawn
    called: set[tuple[str, str, str]] = field(default_factory=set)  # (number, name, e-mail) they ever had
    record: str | None = None  # the id under which they are known
    forgotten: bool = False
    held: bool = False

    @property
    def colour(self) -> tuple[int, int, int]:
        return (40 + 24 * self.index, 60, 200 - 20 * self.index)


@dataclass(frozen=True)
class Upload:
    """What lay in a drop at one time. `photos`: (index of the human, how many times they had sent some)."""

    roster: bytes
    register: bytes
    photos: tuple[tuple[int, int], ...]
    people: tuple[tuple[tuple[str, str, str], int], ...]  # (number, name, e-mail) → index of the human


class Killed(Exception):
    """The process that ran a batch died here."""


def painted(colour: tuple[int, int, int], grain: int) -> np.ndarray:
    """A picture of one colour; `grain` makes its bytes another photo's."""
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[:] = colour
    picture[-1, -8:] = (grain * 37) % 256
    return picture


def read_colour(picture: np.ndarray) -> tuple[int, int, int]:
    """The colour in the middle."""
    red, green, blue = picture[SIDE // 3 : SIDE // 2, SIDE // 3 : SIDE // 2].reshape(-1, 3).mean(0).round()
    return int(red), int(green), int(blue)


def small(name: str) -> BrandKit:
    kit = load_kit(name, SHIPPED / "brand_kits")
    candidates = kit.candidates.model_copy(update={"per_person": 1})
    outputs = (kit.outputs[-1].model_copy(update={"width": 64, "height": 64, "max_bytes": None}),)
    return kit.model_copy(update={"candidates": candidates, "outputs": outputs})


class Company:
    """Its people, its uploads, and the steps that a run takes; `now` moves only when somebody moves it."""

    def __init__(self, vault: Vault, size: int = 4) -> None:
        self.vault, self.now, self.steps = vault, BEGAN, 0
        self.people = [self._somebody(index) for index in range(size)]
        self.uploads: list[Upload] = []
        self.kits = {name: small(name) for name in KITS}
        self.classroom = Classroom(vault, CARD, self._step, read_colour)

    def _somebody(self, index: int) -> Human:
        number, name = f"N{100 + index}", f"Zora{'abcdefgh'[index] * 3} Quill{'hgfedcba'[index] * 3}"
        human = Human(index, number, name, f"q{index}@zoo.example")
        human.consents.append([number, f"{BEGAN:%Y-%m-%d}", ""])
        human.called.add((number, name, human.email))
        return human

    def tick(self, **time: float) -> datetime:
        self.now += timedelta(**(time or {"minutes": 1}))
        return self.now

    def upload(self, photos: bool) -> Upload:
        """The roster and register as they are now; photos of everybody, or of those only who are new."""
        here = [human for human in self.people if human.listed]
        lines = ["Employee ID,Name,Work Email,Status,Headshot generation,Brand kit"]
        lines += [
            f"{h.number},{h.name},{h.email},{h.status},{'yes' if h.generation else 'opt out'},{h.kit}" for h in here
        ]
        register = ["Employee ID,Purpose,Text version,Given at,Withdrawn at"]
        register += [f"{n},headshot,v1,{given},{gone}" for h in self.people for n, given, gone in h.consents]
        made = Upload(
            "\n".join(lines).encode(), "\n".join(register).encode(),
            tuple((h.index, h.photos) for h in here if photos or h.record is None),
            tuple(((h.number, h.name, h.email), h.index) for h in here),
        )  # fmt: skip
        self.uploads.append(made)
        return made

    def send(self, upload: Upload) -> None:
        """The upload arrives at the desk: a withdrawal counts from here."""
        roster = read_roster(upload.roster, "roster.csv", today=self.now.date())
        withdraw_at_once(self.vault, roster, read_consents(upload.register, "consents.csv"), self.now)

    def run(self, upload: Upload, kit: str, drop: str, dies_after: int = 10**6) -> str:
        """A run of this drop under this kit, which may be killed after so many of its steps. The batch's id."""
        batch = open_batch(self.vault, Order(drop, kit, "draft", "embedded"), self.now)
        take_lease(self.vault, batch, f"run at {self.now}", self.now)
        self.left = dies_after
        with suppress(Killed, MemoryError):
            for _ in self._making(batch, upload):
                with pytest.raises(AlreadyBeingMade):  # somebody pressed the button twice
                    take_lease(self.vault, batch, f"another run at {self.now}", self.now)
                self._step()
            end_lease(self.vault, batch, f"run at {self.now}")
            return batch
        self.tick(minutes=3)  # until the lease of the dead is believed no longer
        return batch

    def _step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Killed

    def go_on(self, batch: str) -> None:
        """A reshoot's run: those whom `ask_again` began are photographed."""
        for _ in self._photographing(batch):
            pass

    def _making(self, batch: str, upload: Upload) -> Iterator[str]:
        roster = read_roster(upload.roster, "roster.csv", today=self.now.date())
        register = read_consents(upload.register, "consents.csv")
        digest = hashlib.sha256(upload.roster + upload.register + repr(upload.photos).encode()).hexdigest()
        take_version(self.vault, batch, digest, len(roster.rows), self.now)
        yield "version"
        admitted = admit(self.vault, roster, register, self.now, batch)
        self.admitted, self.last = admitted, upload
        yield "admitted"
        seat_everybody(self.vault, batch, admitted, roster, KITS)
        yield "seated"
        here = {one.employee_id for one in admitted}.union(*(one.may_be for one in admitted))
        note_roster(self.vault, batch, roster, register, ask_about_missing(self.vault, batch, here, self.now))
        yield "asked"
        for one in admitted:
            self._keep(batch, one, upload)
            yield "photos"
        seat_cohorts(self.vault, batch, 16, None)
        yield "cohorts"
        self.classroom.learn(batch, seats_of(self.vault, batch, states=TO_LEARN), self.now)
        yield "learned"
        yield from self._photographing(batch)

    def _keep(self, batch: str, one: Admission, upload: Upload) -> None:
        human = dict(upload.people)[(one.row.number, one.row.name, one.row.email)]
        with self.vault.reading() as session:
            seat = session.get_one(Seat, (batch, one.employee_id))
        sent = dict(upload.photos).get(human)
        if seat.state == "blocked" or seat.state == "stopped":
            return
        if sent is not None:
            with suppress(NoConsent):
                permit = self.vault.permit(one.employee_id, now=self.now)
                data = encode(painted(self.people[human].colour, sent), "png")
                look = Look(digest=hashlib.sha256(data).hexdigest(), width=SIDE, height=SIDE)
                seen = Examined(one.row.number, ("1.png",), (look,), SetVerdict((SelfieVerdict(1, True),), ()),
                                (KeptPhoto(data, data),))  # fmt: skip
                keep_photos(self.vault, permit, seen, drop_since(self.vault, batch), self.now)
        if not self._in_use(one.employee_id):
            move_seat(self.vault, batch, one.employee_id, "blocked", "no_photos")

    def _in_use(self, who: str) -> list[Selfie]:
        with self.vault.reading() as session:
            query = select(Selfie).where(Selfie.employee_id == who, col(Selfie.replaced_at).is_(None))
            return [selfie for selfie in session.exec(query) if selfie.blob_key and self.vault.exists(selfie.blob_key)]

    def _photographing(self, batch: str) -> Iterator[str]:
        ordered = load_batch(self.vault, batch)
        for seat in seats_of(self.vault, batch, states=TO_PHOTOGRAPH):
            kit = self.kits[seat.kit or ordered.kit]
            studio = Studio(self.vault, batch, kit.name, kit, None, None, CARD)  # type: ignore[arg-type]
            with suppress(NoConsent):
                self._take(studio, seat)
            yield "photographed"
        for seat in seats_of(self.vault, batch, states=("rendered",)):
            self._judge(batch, seat)
            yield "judged"

    def _take(self, studio: Studio, seat: Seat) -> None:
        if seat.lane == "faithful" or seat.adapter_digest is None:
            return
        permit = self.vault.permit(seat.employee_id, now=self.now)
        mine = sittings(studio, seat, permit)
        retire_superseded(studio, seat.employee_id, {sitting.digest for sitting in mine})
        missing = [sitting for sitting in mine if not kept(self.vault, sitting.digest, sitting.id)]
        show(studio, seat.employee_id, [sitting.digest for sitting in mine if sitting not in missing])
        for sitting in missing:
            with self.vault.reading() as session:
                adapter = session.get(Adapter, sitting.adapter)
            if adapter is None or not self.vault.exists(adapter.blob_key):
                return  # its time was up while the seat waited: it is learned again by the next run
            colour = tuple(self.vault.read(permit, adapter.blob_key))
            data = encode(painted(colour, sitting.seed % 200), "png")  # type: ignore[arg-type]
            keys = [
                self.vault.write(permit, kind, f"{sitting.digest[:32]}.png", data, now=self.now)
                for kind in ("originals", "headshots")
            ]
            with self.vault.session() as session:
                session.merge(
                    Headshot(
                        digest=sitting.digest, employee_id=sitting.id, adapter_digest=sitting.adapter,
                        kit=studio.kit_name, kit_digest=kit_digest(studio.kit), shot=sitting.shot, round=sitting.round,
                        seed=sitting.seed, original_key=keys[0], finished_key=keys[1], created_at=self.now,
                    )
                )  # fmt: skip
                session.merge(Showing(batch_id=studio.batch, headshot_digest=sitting.digest, employee_id=sitting.id))
        if missing or seat.state in ("ready", "trained"):
            move_seat(self.vault, studio.batch, seat.employee_id, "rendered")

    def _judge(self, batch: str, seat: Seat) -> None:
        with self.vault.session() as session:
            shown = session.exec(
                select(Showing).where(Showing.batch_id == batch, Showing.employee_id == seat.employee_id)
            ).all()
            for place, one in enumerate(sorted(shown, key=lambda one: one.headshot_digest), start=1):
                one.choice = place
        move_seat(self.vault, batch, seat.employee_id, "done")

    def known(self, human: Human) -> Employee | None:
        """The record of somebody, if they have one."""
        with self.vault.reading() as session:
            return session.get(Employee, human.record) if human.record else None
