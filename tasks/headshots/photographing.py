"""Taking one cohort's pictures: what is missing is rendered, many people at once, finished, and kept.

A headshot's digest is made of the adapter (or the selfie), the kit, the prompt, the seed and the renderer's version.
One that exists, and whose blobs verify, is never taken again.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlmodel import select

from tasks import progress
from tasks.adapters.export import load_adapter
from tasks.adapters.learning import longer_from
from tasks.adapters.portraits import Likeness, open_selfies
from tasks.disclosure.installation import mark_key, marked
from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.faithful import order_photos
from tasks.headshots.finish import CannotFinish
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.render import RenderJob, plan_render, render
from tasks.headshots.shots import shots_for
from tasks.headshots.studio import RENDERER_VERSION, finish_candidate
from tasks.vault.batches import move_seat
from tasks.vault.consent import Permit
from tasks.vault.failures import NoConsent
from tasks.vault.records import Adapter, Employee, Headshot, Seat
from tasks.vault.store import Vault
from tasks.vision.diffusion import FrozenBase
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture, encode, resize

Lane = Literal["generated", "faithful"]
THUMBNAIL = 320  # px, the shorter way: two to a card on a dense screen
FAITHFUL_CHOICES = 2  # of a person's own photographs, how many to finish
# Share of the early steps in which the kit's backdrop shows outside the person, so that light spills as it would.
PLATE_STRENGTH = 0.4


@dataclass(frozen=True)
class Sitting:
    """One picture to take: of whom, from what, and the digest it will have."""

    permit: Permit
    digest: str
    lane: Lane
    shot: int
    seed: int
    prompt: str = ""
    negative: str = ""
    adapter: str | None = None
    selfie: str | None = None

    @property
    def id(self) -> str:
        return self.permit.employee_id


@dataclass(frozen=True)
class Studio:
    """What every picture of a batch shares."""

    vault: Vault
    batch: str
    kit_name: str
    kit: BrandKit
    eyes: Eyes
    base: Callable[[], FrozenBase]  # opened only when something must be drawn
    family: str
    token: str


def lane_of(seat: Seat) -> Lane:
    """Who declined generation is photographed by their own selfies."""
    detail = seat.detail if isinstance(seat.detail, dict) else {}
    return "faithful" if detail.get("lane") == "faithful" else "generated"


def round_of(seat: Seat) -> int:
    """How many times new pictures of this person were asked for, by reviewers or for falling short."""
    return int(seat.detail.get("round", 0)) if isinstance(seat.detail, dict) else 0


def digest_of(**parts: Any) -> str:
    """The identity of a picture."""
    return hashlib.sha256(json.dumps({**parts, "renderer": RENDERER_VERSION}, sort_keys=True).encode()).hexdigest()


def sittings(studio: Studio, seat: Seat, permit: Permit) -> list[Sitting]:
    """All pictures that this person should have by now; every round that was asked for adds its own.

    A longer training begins anew: what the shorter one drew was not like them.
    """
    kit = kit_digest(studio.kit)
    if lane_of(seat) == "faithful":
        selfies = open_selfies(studio.vault, permit, studio.eyes)
        best = order_photos([selfie.picture for selfie in selfies], studio.eyes)[:FAITHFUL_CHOICES]
        return [
            Sitting(
                permit, digest_of(selfie=selfies[at].digest, kit=kit), "faithful", shot, 0, selfie=selfies[at].digest
            )
            for shot, at in enumerate(best)
        ]
    adapter = seat.detail.get("adapter") if isinstance(seat.detail, dict) else None
    with studio.vault.reading() as session:
        person = session.get(Employee, seat.employee_id)
    if adapter is None or person is None:
        return []
    taken: list[Sitting] = []
    for seed in range(longer_from(seat) or 0, round_of(seat) + 1):
        for shot in shots_for(
            studio.kit, person.id, person.wardrobe, person.glasses, studio.family, studio.token, seed
        ):
            digest = digest_of(adapter=adapter, kit=kit, prompt=shot.prompt, negative=shot.negative, seed=shot.seed)
            place = seed * studio.kit.candidates.per_person + shot.index
            taken.append(Sitting(permit, digest, "generated", place, shot.seed, shot.prompt, shot.negative, adapter))
    return taken


def kept(vault: Vault, digest: str) -> bool:
    """Whether a picture is there: its row, and both of its blobs."""
    with vault.reading() as session:
        row = session.get(Headshot, digest)
    return row is not None and all(vault.exists(key) for key in (row.original_key, row.finished_key) if key)


def adopt(studio: Studio, digests: Sequence[str]) -> None:
    """Pictures that another batch took with the same adapter and kit are shown in this one."""
    with studio.vault.session() as session:
        for digest in digests:
            row = session.get(Headshot, digest)
            if row is not None and (row.batch_id != studio.batch or row.state == "retired"):
                row.batch_id = studio.batch
                row.state = "candidate" if row.state == "retired" else row.state
                session.add(row)


def retire_superseded(studio: Studio, employee_id: str, wanted: Collection[str]) -> None:
    """Pictures that an older adapter or renderer took, and that nobody has decided about, leave the choice."""
    theirs = Headshot.employee_id == employee_id, Headshot.batch_id == studio.batch, Headshot.state == "candidate"
    with studio.vault.session() as session:
        for row in session.exec(select(Headshot).where(*theirs)):
            if row.digest not in wanted:
                row.state, row.choice = "retired", None
                session.add(row)


def photograph(studio: Studio, seats: Sequence[Seat]) -> int:
    """Takes every picture these people still lack and moves their seats on. Returns how many were taken."""
    wanted: dict[str, list[Sitting]] = {}
    for seat in seats:
        try:
            permit = studio.vault.permit(seat.employee_id, now=datetime.now(UTC))
        except NoConsent as refused:
            move_seat(studio.vault, studio.batch, seat.employee_id, "blocked", refused.code)
            continue
        mine = sittings(studio, seat, permit)
        if mine:
            retire_superseded(studio, seat.employee_id, {sitting.digest for sitting in mine})
        missing = [sitting for sitting in mine if not kept(studio.vault, sitting.digest)]
        adopt(studio, [sitting.digest for sitting in mine if sitting not in missing])
        if missing:
            wanted[seat.employee_id] = missing
        elif seat.state in ("ready", "trained"):
            # Pictures of another batch with the same adapter and kit serve this one too.
            move_seat(studio.vault, studio.batch, seat.employee_id, "rendered" if mine else "failed", _why_none(mine))
    _take_generated(studio, [s for mine in wanted.values() for s in mine if s.lane == "generated"])
    _take_faithful(studio, [s for mine in wanted.values() for s in mine if s.lane == "faithful"])
    for employee_id in wanted:
        move_seat(studio.vault, studio.batch, employee_id, "rendered")
    return sum(len(mine) for mine in wanted.values())


def _why_none(mine: Sequence[Sitting]) -> str | None:
    return None if mine else "no_face"


def _take_generated(studio: Studio, queue: Sequence[Sitting]) -> None:
    if not queue:
        return
    base = studio.base()
    plan = plan_render(base, plate_strength=PLATE_STRENGTH)
    plate = draw_backdrop(studio.kit, plan.size, plan.size)
    adapters = {sitting.adapter: _open_adapter(studio.vault, sitting) for sitting in queue}
    jobs = [
        RenderJob(s.id, adapters[s.adapter], s.prompt, s.negative, s.seed, plate=plate) for s in queue
    ]  # fmt: skip
    progress.tell("render", 0, len(jobs))
    pictures = render(base, jobs, plan, lambda done, total: progress.tell("render", done, total))
    for place, (sitting, picture) in enumerate(zip(queue, pictures, strict=True)):
        _finish_and_keep(studio, sitting, picture)
        progress.tell("finish", place + 1, len(queue), sitting.id)


def _open_adapter(vault: Vault, sitting: Sitting) -> Any:
    with vault.reading() as session:
        row = session.get(Adapter, sitting.adapter)
    if row is None:
        raise LookupError(f"adapter {sitting.adapter} has no record")
    return load_adapter(vault.read(sitting.permit, row.blob_key))


def _take_faithful(studio: Studio, queue: Sequence[Sitting]) -> None:
    opened: dict[str, list[Likeness]] = {}
    for place, sitting in enumerate(queue):
        if sitting.id not in opened:
            opened = {sitting.id: open_selfies(studio.vault, sitting.permit, studio.eyes)}
        photo = next(selfie.picture for selfie in opened[sitting.id] if selfie.digest == sitting.selfie)
        _finish_and_keep(studio, sitting, photo)
        progress.tell("faithful", place + 1, len(queue), sitting.id)


def _finish_and_keep(studio: Studio, sitting: Sitting, picture: Picture) -> None:
    """Finishes one picture and keeps it with its measures; one that cannot be finished is kept as flagged."""
    vault, permit = studio.vault, sitting.permit
    name = sitting.digest[:32]
    original = vault.write(permit, "originals", f"{name}.png", encode(picture, "png"))
    finished_key = thumb_key = ""
    scores: dict[str, Any] = {}
    try:
        candidate = finish_candidate(picture, studio.kit, studio.eyes, lane=sitting.lane)
    except CannotFinish as refused:
        flags = [refused.code]
    else:
        # Marked once, here, so that whatever leaves by whatever way carries the mark: files, pages, copies of copies.
        finished = marked(candidate.finished.picture, mark_key(vault.keys), sitting.lane)
        finished_key = vault.write(permit, "headshots", f"{name}.jpg", encode(finished, "jpeg", quality=93))
        thumb_key = vault.write(permit, "thumbnails", f"{name}.webp", encode(_thumbnail(finished), "webp", quality=82))
        flags = [flag.code for flag in candidate.flags]
        scores = {
            "measures": asdict(candidate.finished.measures),
            "flags": [flag.as_json() for flag in candidate.flags],
            "source_inter_eye": candidate.finished.source_inter_eye,
        }
    row = Headshot(
        digest=sitting.digest, employee_id=sitting.id, batch_id=studio.batch, adapter_digest=sitting.adapter,
        kit=studio.kit_name, kit_digest=kit_digest(studio.kit), shot=sitting.shot, seed=sitting.seed, lane=sitting.lane,
        original_key=original, finished_key=finished_key, thumb_key=thumb_key, scores=scores, flags=flags,
        created_at=datetime.now(UTC),
    )  # fmt: skip
    with vault.session() as session:
        session.merge(row)


def _thumbnail(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = THUMBNAIL / min(height, width)
    return resize(picture, round(width * scale), round(height * scale))
