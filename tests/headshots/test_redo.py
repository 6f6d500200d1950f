"""Rounds: what reviewers' decisions ask for, and which pictures a person is left with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from sqlmodel import col, select

from tasks.headshots.kit import BrandKit, kit_digest
from tasks.headshots.photographing import (
    Sitting,
    Studio,
    digest_of,
    first_digest_of,
    kept,
    photograph,
    retire_superseded,
    show,
    sittings,
)
from tasks.headshots.redo import wants_redo
from tasks.headshots.task import ask_again
from tasks.headshots.wishes import AS_USUAL, Wish, wish_of
from tasks.vault.batches import Order, open_batch, seats_of
from tasks.vault.consent import Permit
from tasks.vault.records import Consent, Decision, Employee, Headshot, Seat, Showing
from tasks.vault.review import event_of, standing
from tasks.vault.scores import Scores
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.diffusion_card import BaseCard, FaceWallCard, load_base_card

NOON = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
ADA = "p0"
DIGESTS = ("d0", "old", "approved", "elsewhere", "both")


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path / "home"))  # the task opens its own vault there
    with open_vault(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def batch(vault: Vault) -> str:
    """One person, whose seat is done, with one picture."""
    identity = open_batch(vault, Order("/drop", "northwind", "draft", "embedded"), NOON)
    with vault.session() as session:
        session.add(Employee(id=ADA, number=ADA, updated_at=NOON))
        session.add(Seat(batch_id=identity, employee_id=ADA, state="done", cohort=3))
        session.add_all(shot(identity, "d0"))
    return identity


def shot(batch: str, digest: str, **values: object) -> tuple[Headshot, Showing]:
    given = {
        "digest": digest, "employee_id": ADA, "kit": "northwind", "kit_digest": "k", "shot": 0,
        "seed": 1, "created_at": NOON,
    }  # fmt: skip
    return Headshot(**(given | values)), Showing(batch_id=batch, headshot_digest=digest, employee_id=ADA)


def decide(vault: Vault, batch: str, *verdicts: str, first: int = 1) -> None:
    """Decisions about the person, a minute apart."""
    with vault.session() as session:
        for minute, verdict in enumerate(verdicts, start=first):
            session.add(
                Decision(
                    id=f"d{minute}", employee_id=ADA, batch_id=batch, kit="northwind", verdict=verdict, by="lin",
                    at=NOON + timedelta(minutes=minute),
                )
            )  # fmt: skip


def test_an_undone_redo_asks_for_nothing(vault: Vault, batch: str) -> None:
    """The last row of the table is "undo"; what stands is what counts."""
    decide(vault, batch, "redo", "undo")
    assert wants_redo(vault, batch) == {}
    assert ask_again.fn(batch) == []


def test_undoing_an_approval_brings_the_redo_before_it_back(vault: Vault, batch: str) -> None:
    decide(vault, batch, "redo", "approve", "undo")
    assert {who: redo.id for who, redo in wants_redo(vault, batch).items()} == {ADA: "d1"}
    assert ask_again.fn(batch) == [3]


def test_a_redo_is_answered_once(vault: Vault, batch: str) -> None:
    decide(vault, batch, "redo")
    assert ask_again.fn(batch) == [3]
    seat = seats_of(vault, batch)[0]
    assert (seat.state, seat.round, seat.answered) == ("trained", 1, "d1")
    assert ask_again.fn(batch) == [3]  # killed before a picture was taken: the round is finished, not begun anew
    assert seats_of(vault, batch)[0].round == 1
    with vault.session() as session:
        session.get_one(Seat, (batch, ADA)).state = "done"
    assert ask_again.fn(batch) == []
    decide(vault, batch, "redo", first=2)
    assert ask_again.fn(batch) == [3]
    assert seats_of(vault, batch)[0].round == 2


def test_another_renderer_makes_other_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better finishing reaches everybody's pictures: the version is in every digest."""
    before = digest_of(ADA, adapter="a", seed=1)
    assert digest_of(ADA, seed=1, adapter="a") == before
    assert digest_of(ADA, adapter="a", seed=2) != before
    assert digest_of("p9", adapter="a", seed=1) != before, "and its owner is"
    monkeypatch.setattr("tasks.headshots.photographing.RENDERER_VERSION", 99)
    assert digest_of(ADA, adapter="a", seed=1) != before


def test_a_picture_is_there_for_its_owner_only_and_with_its_blobs(vault: Vault, batch: str) -> None:
    """0.1 left the owner out of the digest: the same photos under another name would have found these."""
    assert kept(vault, "d0", ADA)
    assert not kept(vault, "d0", "p9")
    assert not kept(vault, "d9", ADA)
    with vault.session() as session:
        session.get_one(Headshot, "d0").finished_key = f"people/{ADA}/headshots/gone.jpg"
    assert not kept(vault, "d0", ADA)


def test_pictures_newer_than_the_wish_fulfil_it(vault: Vault, batch: str) -> None:
    decide(vault, batch, "redo")
    with vault.session() as session:
        session.add_all(shot(batch, "d9", created_at=NOON + timedelta(hours=1)))
    assert wants_redo(vault, batch) == {}


def test_decisions_stand_in_the_order_of_their_times() -> None:
    rows = [
        Decision(id=f"d{i}", employee_id=ADA, batch_id="b", verdict=verdict, by="", at=NOON + timedelta(minutes=minute))
        for i, (verdict, minute) in enumerate([("undo", 3), ("approve", 1), ("redo", 2)])
    ]
    assert [event.verdict for event in standing(map(event_of, rows))] == ["approve"]


def test_pictures_of_an_older_renderer_leave_the_choice_but_decided_ones_stay(
    vault: Vault, batch: str, kits: dict[str, BrandKit]
) -> None:
    studio = Studio(vault, batch, "northwind", kits["northwind"], None, None, None)  # type: ignore[arg-type]
    with vault.session() as session:
        session.add_all(shot(batch, "old"))
        session.add_all(shot(batch, "approved", state="approved"))
        session.add_all(shot("another batch", "elsewhere"))
        session.add_all(shot(batch, "both"))
        session.add(Showing(batch_id="another batch", headshot_digest="both", employee_id=ADA))
    retire_superseded(studio, ADA, {"d0"})

    def states() -> dict[str, str]:
        with vault.reading() as session:
            return {digest: session.get_one(Headshot, digest).state for digest in DIGESTS}

    def proposed(of: str) -> set[str]:
        with vault.reading() as session:
            rows = session.exec(select(Showing).where(Showing.batch_id == of, col(Showing.retired).is_(False)))
            return {row.headshot_digest for row in rows}

    before = {"d0": "candidate", "old": "retired", "approved": "approved", "elsewhere": "candidate"}
    assert states() == {**before, "both": "candidate"}, "what another batch still proposes is no superseded picture"
    assert proposed(batch) == {"d0", "approved"}
    assert proposed("another batch") == {"elsewhere", "both"}
    show(studio, ADA, ["old", "elsewhere"])  # wanted again: they are there already
    assert states()["old"] == "candidate"
    assert proposed(batch) == {"d0", "approved", "old", "elsewhere"}
    assert proposed("another batch") == {"elsewhere", "both"}, "and the other batch keeps what it shows"


def test_pictures_that_come_back_are_put_in_order_again(
    vault: Vault, batch: str, kits: dict[str, BrandKit], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base, its next version, the first one again: pictures that were retired meanwhile were shown without a place,
    beside what had been said of the others. A run that is killed before they have one leaves it to the next."""
    permit, card = learned_on_the_embedded_base(vault, batch)
    studio = Studio(vault, batch, "northwind", kits["northwind"], None, None, card)  # type: ignore[arg-type]
    drawn = vault.write(permit, "originals", "d0.png", b"drawn")
    finished = vault.write(permit, "headshots", "d0.jpg", b"finished")
    with vault.session() as session:
        first = session.get_one(Headshot, "d0")
        first.original_key, first.finished_key = drawn, finished
        session.get_one(Showing, (batch, "d0")).choice = 1
    monkeypatch.setattr(
        "tasks.headshots.photographing.sittings", lambda *_: [Sitting(permit, "d0", "generated", 0, 0, 1)]
    )

    def state_after(now: str) -> str:
        with vault.session() as session:
            session.get_one(Seat, (batch, ADA)).state = now
        assert photograph(studio, seats_of(vault, batch)) == 0
        return seats_of(vault, batch)[0].state

    assert state_after("done") == "done", "in order as it is"
    retire_superseded(studio, ADA, {"of the next version"})
    for now in ("done", "flagged"):
        assert state_after(now) == "rendered", "to be put in order, once more after a kill"


def asks(vault: Vault, batch: str, *reasons: str, minute: int = 1, note: str = "") -> None:
    with vault.session() as session:
        session.add(
            Decision(
                id=f"r{minute}", employee_id=ADA, batch_id=batch, kit="northwind", verdict="redo", by="lin", note=note,
                reasons=list(reasons), at=NOON + timedelta(minutes=minute),
            )
        )  # fmt: skip


def answered(vault: Vault, batch: str) -> Seat:
    """The seat once its redo has been answered and new pictures taken."""
    ask_again.fn(batch)
    with vault.session() as session:
        session.get_one(Seat, (batch, ADA)).state = "done"
    return seats_of(vault, batch)[0]


def test_what_a_redo_asks_for_is_what_the_next_round_does(vault: Vault, batch: str) -> None:
    """The note was read by nobody: four more throws of the same dice."""
    with vault.session() as session:
        session.get_one(Headshot, "d0").scores = Scores(kept={"glasses_expected": True}).as_json()
    asks(vault, batch, "clothes", "glasses", note="head straight, please")
    seat = answered(vault, batch)
    assert (seat.round, seat.longer_from) == (1, None)
    assert seat.wishes == {"1": Wish(clothes=1, glasses="on").as_json()}  # and nothing of the note
    asks(vault, batch, "clothes", minute=2)
    assert wish_of(answered(vault, batch).wishes, 2) == Wish(clothes=2, glasses="on")


def test_not_like_them_is_learned_for_longer_once(vault: Vault, batch: str) -> None:
    asks(vault, batch, "not_like_them")
    assert answered(vault, batch).longer_from == 1
    asks(vault, batch, "not_like_them", minute=2)
    seat = answered(vault, batch)
    assert (seat.round, seat.longer_from) == (2, 1)  # after that only new photos help


def test_a_redo_without_reasons_takes_the_same_once_more(vault: Vault, batch: str) -> None:
    asks(vault, batch)
    seat = answered(vault, batch)
    assert (seat.round, wish_of(seat.wishes, 1)) == (1, AS_USUAL)


def learned_on_the_embedded_base(vault: Vault, batch: str) -> tuple[Permit, BaseCard]:
    """Ada agreed, and there is an adapter of hers."""
    with vault.session() as session:
        session.add(Consent(id="c", employee_id=ADA, given_at=NOON))
        session.get_one(Seat, (batch, ADA)).adapter_digest = "a" * 64
    card = load_base_card("embedded", Path(__file__).parents[2] / "base_models")
    return vault.permit(ADA, now=NOON + timedelta(days=1)), card


def test_looser_takes_other_pictures_with_the_adapter_there_is(
    vault: Vault, batch: str, kits: dict[str, BrandKit]
) -> None:
    """Nothing is learned again, the strength is part of what a picture is, and a round without it keeps its digests."""
    permit, card = learned_on_the_embedded_base(vault, batch)
    studio = Studio(vault, batch, "northwind", kits["northwind"], None, None, card)  # type: ignore[arg-type]
    asks(vault, batch, "looser")
    seat = answered(vault, batch)
    assert seat.longer_from is None
    each = kits["northwind"].candidates.per_person
    found = sittings(studio, seat, permit)
    assert [one.strength for one in found] == [1.0] * each + [0.9] * each
    assert {one.adapter for one in found} == {"a" * 64}
    seat.wishes = {}
    plain = sittings(studio, seat, permit)
    assert [one.digest for one in plain[:each]] == [one.digest for one in found[:each]]
    assert not {one.digest for one in plain[each:]} & {one.digest for one in found[each:]}
    assert [one.seed for one in plain] == [one.seed for one in found]


def test_the_words_inside_a_face_are_part_of_what_a_picture_is(
    vault: Vault, batch: str, kits: dict[str, BrandKit]
) -> None:
    """Where they say nothing else than the prompt the digests stay; another wall in the face makes other pictures."""
    permit, card = learned_on_the_embedded_base(vault, batch)

    def taken(kit: str, word: str, colour: str = "#eeeff0") -> list[Sitting]:
        face_wall = FaceWallCard(word=word, colour=colour) if word else None
        words = card.render.model_copy(update={"face_wall": face_wall})
        drawing = card.model_copy(update={"render": words})
        studio = Studio(vault, batch, kit, kits[kit], None, None, drawing)  # type: ignore[arg-type]
        with vault.reading() as session:
            return sittings(studio, session.get_one(Seat, (batch, ADA)), permit)

    assert taken("northwind", "light grey") == taken("northwind", ""), "its wall is light grey"
    walls = (("",), ("light grey",), ("white",), ("white", "#ffffff"))
    digests = [{one.digest for one in taken("signal", *wall)} for wall in walls]
    assert len(set.union(*digests)) == len(walls) * len(digests[0])
    assert all("plain white background" in one.face for one in taken("signal", "white"))
    assert all("plain teal background" in one.prompt for one in taken("signal", "white"))


def test_a_picture_from_before_a_digest_counted_so_much_is_found_again(
    vault: Vault, batch: str, kits: dict[str, BrandKit]
) -> None:
    """0.1 left out the owner, and 0.2 for a while how a card draws: an upgrade takes nobody's pictures anew."""
    permit, card = learned_on_the_embedded_base(vault, batch)
    kit = kits["northwind"]
    studio = Studio(vault, batch, "northwind", kit, None, None, card)  # type: ignore[arg-type]

    def found() -> list[Sitting]:
        with vault.reading() as session:
            return sittings(studio, session.get_one(Seat, (batch, ADA)), permit)

    new = found()
    parts = [
        {
            "adapter": one.adapter,
            "prompt": one.prompt,
            "negative": one.negative,
            "seed": one.seed,
            "kit": kit_digest(kit),
        }
        for one in new
    ]
    older = [first_digest_of(**parts[0]), digest_of(ADA, **parts[1])]
    with vault.session() as session:
        session.add_all(row for digest in older for row in shot(batch, digest))
    assert [one.digest for one in found()] == [*older, *(one.digest for one in new[2:])]


def test_who_draws_is_part_of_what_a_picture_is(
    vault: Vault, batch: str, kits: dict[str, BrandKit], tmp_path: Path
) -> None:
    """A base's own pictures keep their digests; those of its turbo are others, and others again by other weights."""
    permit, card = learned_on_the_embedded_base(vault, batch)
    turbo = card.model_copy(update={"name": "turbo", "folder": tmp_path})
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text("{}")
    (tmp_path / "model_index.json").write_text('{"unet": ["diffusers", "UNet2DConditionModel"]}')

    def digests(drawing: BaseCard | None) -> list[str]:
        studio = Studio(vault, batch, "northwind", kits["northwind"], None, None, card, None, drawing)  # type: ignore[arg-type]
        with vault.reading() as session:
            return [one.digest for one in sittings(studio, session.get_one(Seat, (batch, ADA)), permit)]

    found = [digests(None), digests(card)]
    for weight in (1.0, 2.0):
        save_file({"w": np.array([weight])}, tmp_path / "unet" / "diffusion_pytorch_model.safetensors")
        found.append(digests(turbo))
    assert found[0] == found[1]
    assert len({one for some in found[1:] for one in some}) == 3 * len(found[0])
