"""Taking one cohort's pictures: what is missing is rendered, many people at once, finished, and kept.

A headshot's digest is made of the adapter (or the selfie), the kit, the prompt, the seed, the card's way of drawing
and the renderer's version. One that exists, and whose blobs verify, is never taken again.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from sqlmodel import col, select

from tasks import progress
from tasks.adapters.export import load_adapter
from tasks.adapters.portraits import Likeness, open_selfies
from tasks.disclosure.installation import mark_key
from tasks.headshots.backdrop import draw_backdrop
from tasks.headshots.develop import Developed, develop
from tasks.headshots.faithful import order_photos
from tasks.headshots.finish_job import WORK, Finishers, Made, answered, ask, finish_here
from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.own_photo import own_photo, photo_shown
from tasks.headshots.render import RenderJob, plan_render, render, weighing
from tasks.headshots.shots import shots_for
from tasks.headshots.studio import PHOTO_VERSION, RENDERER_VERSION
from tasks.headshots.wishes import wish_of
from tasks.sandbox import Opened
from tasks.vault.batches import move_seat
from tasks.vault.consent import Permit
from tasks.vault.leaving import Leavers
from tasks.vault.page_sizes import large_picture, thumb_name
from tasks.vault.records import Adapter, Employee, Headshot, Seat, Selfie, Showing
from tasks.vault.scores import Scores
from tasks.vault.seats import Lane
from tasks.vault.store import Vault
from tasks.vision.diffusion import FrozenBase
from tasks.vision.diffusion_card import BaseCard
from tasks.vision.faces import Eyes
from tasks.vision.images import Picture, encode
from tasks.vision.weights import fingerprint_of

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
    round: int
    seed: int
    prompt: str = ""
    negative: str = ""
    face: str = ""
    adapter: str | None = None
    selfie: str | None = None
    strength: float = 1.0  # what the adapter weighs

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
    card: BaseCard  # on which people are learned
    finishers: Finishers | None = None  # without them this process finishes with its own eyes
    drawing: BaseCard | None = None  # of the weights that draw, where they are others

    @property
    def shows_photo(self) -> bool:
        """Whether a person's own photo stands beside the prompt."""
        return (self.drawing or self.card).render.own_photo

    @cached_property
    def drawn_by(self) -> str | None:
        """The fingerprint of those others; None where people are drawn by what they were learned on."""
        other = self.drawing
        return None if other is None or other.name == self.card.name else fingerprint_of(other)


@dataclass(frozen=True)
class Exposure:
    """A picture to finish, and who had signed the photograph that it is, if somebody had."""

    sitting: Sitting
    picture: Picture
    signed_by: str | None = None


def digest_of(owner: str, **parts: Any) -> str:
    """The identity of a picture. Its owner is part of it: the same photos under another name are other pictures."""
    content = {**parts, "owner": owner, "renderer": RENDERER_VERSION}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def first_digest_of(**parts: Any) -> str:
    """The same as Rollcall 0.1 made it, which left the owner out: its pictures are found again, by their owner only."""
    return hashlib.sha256(json.dumps({**parts, "renderer": RENDERER_VERSION}, sort_keys=True).encode()).hexdigest()


def sittings(studio: Studio, seat: Seat, permit: Permit) -> list[Sitting]:
    """All pictures that this person should have by now; every round that was asked for adds its own.

    A longer training begins anew: what the shorter one drew was not like them.
    """
    kit = kit_digest(studio.kit)
    if seat.lane == "faithful":
        selfies = open_selfies(studio.vault, permit, studio.eyes)
        best = order_photos([selfie.picture for selfie in selfies], studio.eyes)[:FAITHFUL_CHOICES]
        return [
            Sitting(
                permit,
                _digest_there(
                    studio.vault, seat.employee_id, {}, selfie=selfies[at].digest, kit=kit, photo=PHOTO_VERSION
                ),
                "faithful",
                shot,
                0,
                0,
                selfie=selfies[at].digest,
            )
            for shot, at in enumerate(best)
        ]
    adapter = seat.adapter_digest
    with studio.vault.reading() as session:
        person = session.get(Employee, seat.employee_id)
    if adapter is None or person is None:
        return []
    drawing = studio.drawing or studio.card
    render, way = drawing.render, way_of(drawing)
    taken: list[Sitting] = []
    for turn in range(seat.longer_from or 0, seat.round + 1):
        wish = wish_of(seat.wishes, turn)
        for shot in shots_for(
            studio.kit,
            person.id,
            person.wardrobe,
            person.glasses,
            studio.card.speech,
            studio.card.token,
            turn,
            wish,
            render.negative,
            render.face_wall.word if render.face_wall else "",
        ):
            parts = {"adapter": adapter, "prompt": shot.prompt, "negative": shot.negative, "seed": shot.seed}
            if wish.strength != 1:  # the digests of all others stay as they are
                parts["strength"] = wish.strength
            if shot.face and render.face_wall:
                parts["face"] = [shot.face, render.face_wall.colour]
            if studio.drawn_by is not None:
                parts["drawn_by"] = studio.drawn_by
            if studio.shows_photo:
                parts["shown"] = photo_shown(studio.vault, person.id)
            digest = _digest_there(studio.vault, person.id, way, kit=kit, **parts)
            place = turn * studio.kit.candidates.per_person + shot.index
            told = (shot.seed, shot.prompt, shot.negative, shot.face, adapter)
            taken.append(Sitting(permit, digest, "generated", place, turn, *told, strength=wish.strength))
    return taken


def way_of(drawing: BaseCard) -> dict[str, Any]:
    """How a card draws, as far as pixels depend on it and neither the prompt nor the weights say so already."""
    render = drawing.render
    numbers = {"guidance": render.guidance, "guidance_rescale": render.guidance_rescale, "steps": render.steps}
    return {"way": numbers | {"size": drawing.render_size, "reading": drawing.reading}}


def _digest_there(vault: Vault, owner: str, way: Mapping[str, Any], **parts: Any) -> str:
    """Under which digest this picture is there, or will be. Those from before the owner was part of it, and before the
    way of drawing was, are found again: nobody's pictures are taken anew because a newer version counts more."""
    now = digest_of(owner, **parts, **way)
    before = (first_digest_of(**parts), digest_of(owner, **parts))
    return next((digest for digest in before if kept(vault, digest, owner)), now)


def kept(vault: Vault, digest: str, owner: str) -> bool:
    """Whether a picture of this person is there: its row, and both of its blobs."""
    with vault.reading() as session:
        row = session.get(Headshot, digest)
    if row is None or row.employee_id != owner:
        return False
    return all(vault.exists(key) for key in (row.original_key, row.finished_key) if key)


def show(studio: Studio, employee_id: str, digests: Sequence[str]) -> None:
    """These pictures, and the one of this kit that is approved, are shown in this batch, whichever took them."""
    with studio.vault.session() as session:
        approved = select(Headshot.digest).where(
            Headshot.employee_id == employee_id, Headshot.kit == studio.kit_name, Headshot.state == "approved"
        )
        for digest in {*digests, *session.exec(approved)}:
            row, shown = session.get(Headshot, digest), session.get(Showing, (studio.batch, digest))
            if row is None:
                continue
            shown = shown or Showing(batch_id=studio.batch, headshot_digest=digest, employee_id=employee_id)
            shown.retired = False
            row.state = "candidate" if row.state == "retired" else row.state
            session.add(shown)


def retire_superseded(studio: Studio, employee_id: str, wanted: Collection[str]) -> None:
    """Pictures that an older adapter or renderer took, and that nobody has decided about, leave this batch's choice.

    One that no other batch proposes any more is retired altogether, and its time begins to run.
    """
    with studio.vault.session() as session:
        theirs = select(Headshot, Showing).where(
            Showing.employee_id == employee_id,
            Headshot.digest == Showing.headshot_digest,
            Headshot.state == "candidate",
        )
        rows = list(session.exec(theirs))
        for shot, shown in rows:
            if shown.batch_id == studio.batch and shot.digest not in wanted:
                shown.retired, shown.choice = True, None
                elsewhere = any(o.headshot_digest == shot.digest and not o.retired for _, o in rows if o is not shown)
                shot.state = shot.state if elsewhere else "retired"


def photograph(studio: Studio, seats: Sequence[Seat]) -> int:
    """Takes every picture these people still lack and moves their seats on. Returns how many were taken."""
    wanted: dict[str, list[Sitting]] = {}
    leavers = Leavers(studio.vault, studio.batch)
    for seat in seats:
        with leavers.may_leave(seat.employee_id):
            permit = studio.vault.permit(seat.employee_id, now=datetime.now(UTC))
            if missing := _missing(studio, seat, permit):
                wanted[seat.employee_id] = missing
    _take_generated(studio, leavers, [s for mine in wanted.values() for s in mine if s.lane == "generated"])
    _take_faithful(studio, leavers, [s for mine in wanted.values() for s in mine if s.lane == "faithful"])
    stayed = [employee_id for employee_id in wanted if employee_id not in leavers.gone]
    for employee_id in stayed:
        move_seat(studio.vault, studio.batch, employee_id, "rendered")
    return sum(len(wanted[employee_id]) for employee_id in stayed)


def _missing(studio: Studio, seat: Seat, permit: Permit) -> list[Sitting]:
    """The sittings of this person whose pictures are not there. What is there is shown, and older ones are retired."""
    mine = sittings(studio, seat, permit)
    if mine:
        retire_superseded(studio, seat.employee_id, {sitting.digest for sitting in mine})
    missing = [sitting for sitting in mine if not kept(studio.vault, sitting.digest, sitting.id)]
    show(studio, seat.employee_id, [sitting.digest for sitting in mine if sitting not in missing])
    if not missing and (seat.state in ("ready", "trained") or _without_a_place(studio, mine)):
        # Pictures of another batch with the same adapter and kit serve this one too, and so do this batch's own whose
        # base or kit has come back: they lost their places when others took them.
        move_seat(studio.vault, studio.batch, seat.employee_id, "rendered" if mine else "failed", _why_none(mine))
    return missing


def _without_a_place(studio: Studio, mine: Sequence[Sitting]) -> bool:
    """Whether one of these finished pictures is not in the batch's order, so that it would never be proposed."""
    unplaced = select(Showing.headshot_digest).join(Headshot, col(Headshot.digest) == col(Showing.headshot_digest))
    unplaced = unplaced.where(
        Showing.batch_id == studio.batch, col(Showing.choice).is_(None), Headshot.finished_key != ""
    )
    unplaced = unplaced.where(col(Showing.headshot_digest).in_([sitting.digest for sitting in mine]))
    with studio.vault.reading() as session:
        return session.exec(unplaced).first() is not None


def _why_none(mine: Sequence[Sitting]) -> str | None:
    return None if mine else "no_face"


def _take_generated(studio: Studio, leavers: Leavers, wanted: Sequence[Sitting]) -> None:
    if not wanted:
        return
    base = studio.base()
    lora = studio.card.lora  # an adapter's scale is what it was learned with, whoever draws
    plan = plan_render(base, plate_strength=PLATE_STRENGTH, scale=studio.card.alpha / lora.rank)
    plate = draw_backdrop(studio.kit, plan.size, plan.size)
    adapters: dict[tuple[str | None, float], Any] = {}
    shown: dict[str, Picture] = {}
    for sitting in wanted:
        with leavers.may_leave(sitting.id):
            if (sitting.adapter, sitting.strength) not in adapters:
                adapters[sitting.adapter, sitting.strength] = _open_adapter(studio.vault, sitting)
            if studio.shows_photo and sitting.id not in shown:
                shown[sitting.id] = own_photo(studio.vault, sitting.permit, studio.eyes, plan.size)
    queue = [sitting for sitting in wanted if sitting.id not in leavers.gone]
    jobs = [
        RenderJob(s.id, adapters[s.adapter, s.strength], s.prompt, s.negative, s.seed, plate, shown.get(s.id), s.face)
        for s in queue
    ]
    progress.tell("render", 0, len(jobs))
    pictures = render(base, jobs, plan, lambda done, total: progress.tell("render", done, total))
    taken = (Exposure(sitting, picture) for sitting, picture in zip(queue, pictures, strict=True))
    _finish_and_keep(studio, leavers, taken, "finish", len(queue))


def _open_adapter(vault: Vault, sitting: Sitting) -> Any:
    with vault.reading() as session:
        row = session.get(Adapter, sitting.adapter)
    if row is None:
        raise LookupError(f"adapter {sitting.adapter} has no record")
    return weighing(load_adapter(vault.read(sitting.permit, row.blob_key)), sitting.strength)


def _take_faithful(studio: Studio, leavers: Leavers, queue: Sequence[Sitting]) -> None:
    _finish_and_keep(studio, leavers, _photos(studio, leavers, queue), "faithful", len(queue))


def _photos(studio: Studio, leavers: Leavers, queue: Sequence[Sitting]) -> Iterator[Exposure]:
    """The photograph of each sitting, one person's at a time."""
    opened: dict[str, list[Likeness]] = {}
    for sitting in queue:
        taken = None
        with leavers.may_leave(sitting.id):
            if sitting.id not in opened:
                opened = {sitting.id: open_selfies(studio.vault, sitting.permit, studio.eyes)}
            photo = next((selfie for selfie in opened[sitting.id] if selfie.digest == sitting.selfie), None)
            if photo is None:
                raise LookupError(f"a photo of {sitting.id} is gone")
            taken = Exposure(sitting, photo.picture, _signer_of(studio.vault, sitting))
        if taken is not None:
            yield taken


def _signer_of(vault: Vault, sitting: Sitting) -> str | None:
    """Who had signed the photo of this sitting, if somebody had."""
    with vault.reading() as session:
        mine = select(Selfie.signed_by).where(Selfie.employee_id == sitting.id, Selfie.digest == sitting.selfie)
        return session.exec(mine).first() or None


def _finish_and_keep(studio: Studio, leavers: Leavers, taken: Iterable[Exposure], phase: str, total: int) -> None:
    """Finishes these pictures, as many at once as there are processes for it, and keeps each with its measures."""
    key = mark_key(studio.vault.keys)

    def developed(one: Exposure, answer: Opened | Made) -> Developed:
        return develop(answer if isinstance(answer, Made) else answered(answer), key, one.sitting.lane)

    if studio.finishers is None:
        made: Iterator[tuple[Exposure, Developed]] = (
            (one, developed(one, finish_here(one.picture, studio.kit, studio.eyes, one.sitting.lane))) for one in taken
        )
    else:
        helpers = studio.finishers
        jobs = ((one, ask(one.picture, studio.kit, one.sitting.lane, helpers)) for one in taken)
        made = helpers.hands.each(WORK, jobs, developed)
    for place, (one, done) in enumerate(made):
        with leavers.may_leave(one.sitting.id):
            _keep(studio, one, done)
        progress.tell(phase, place + 1, total, one.sitting.id)


def _keep(studio: Studio, one: Exposure, done: Developed) -> None:
    """Keeps one picture with its measures; one that could not be finished is kept as flagged."""
    vault, sitting = studio.vault, one.sitting
    name = sitting.digest[:32]
    original = vault.write(sitting.permit, "originals", f"{name}.png", encode(one.picture, "png"))
    finished_key = thumb_key = ""
    scores, flags = Scores(), [done.made.refused]
    if not done.made.refused:
        finished_key = vault.write(sitting.permit, "headshots", f"{name}.jpg", done.finished)
        thumb_key = vault.write(sitting.permit, "thumbnails", thumb_name(name), done.thumb)
        if large := large_picture(thumb_key):
            vault.write(sitting.permit, "thumbnails", PurePosixPath(large).name, done.large)
        flags = [str(flag["code"]) for flag in done.made.flags]
        scores = Scores(
            measures=done.made.measures, source_inter_eye=done.made.source_inter_eye,
            flags=done.made.flags, photo_signed_by=one.signed_by,
        )  # fmt: skip
    row = Headshot(
        digest=sitting.digest, employee_id=sitting.id, adapter_digest=sitting.adapter, kit=studio.kit_name,
        kit_digest=kit_digest(studio.kit), shot=sitting.shot, round=sitting.round, seed=sitting.seed, lane=sitting.lane,
        original_key=original, finished_key=finished_key, thumb_key=thumb_key, scores=scores.as_json(), flags=flags,
        created_at=datetime.now(UTC),
    )  # fmt: skip
    with vault.session() as session:
        session.merge(row)
        session.merge(Showing(batch_id=studio.batch, headshot_digest=sitting.digest, employee_id=sitting.id))
