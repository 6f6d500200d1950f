"""What a reviewer may ask for with a redo, and what each of it changes in the next pictures.

Every reason changes something: clothes, glasses, expression and room round the head change what the base is told;
"looser" lets the adapter weigh less, with nothing learned anew; "not like them" learns the face for longer. What would
change nothing under a kit and a base is not offered. A free note is for colleagues and changes no picture.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Garment

Reason = Literal["clothes", "glasses", "smile", "serious", "room", "looser", "not_like_them"]
REASONS: tuple[Reason, ...] = ("clothes", "glasses", "smile", "serious", "room", "looser", "not_like_them")
SMILE, SERIOUS = "smiling", "neutral expression"
# How much the adapter weighs, by how many times looser was asked for; then round again.
STRENGTHS = (1.0, 0.9, 0.8)
ROOM = "plenty of room above the head and beside the shoulders"


@dataclass(frozen=True)
class Wish:
    """How the pictures of one round are to differ from what the kit and the roster say."""

    clothes: int = 0  # how many times other clothes were asked for
    glasses: str = ""  # on or off, as the photos show them
    expression: str = ""  # smile or serious
    room: bool = False
    looser: int = 0  # how many times it was asked for

    @property
    def strength(self) -> float:
        """What the adapter weighs."""
        return STRENGTHS[self.looser % len(STRENGTHS)]

    def as_json(self) -> dict[str, Any]:
        """For the seat."""
        return asdict(self)


AS_USUAL = Wish()


def offered(kit: BrandKit, speech: str) -> tuple[Reason, ...]:
    """The reasons that change something under this kit and with a base that speaks so."""
    small = speech == "small"  # its grammar knows "smiling" and no other word of these
    expressions = set(kit.candidates.expressions)
    found: list[Reason] = []
    for reason in REASONS:
        if reason == "clothes" and len(kit.wardrobe.choices) < 2:
            continue
        if reason == "smile" and expressions == {SMILE}:
            continue
        if reason == "serious" and small and not any(expressions):
            continue
        if reason == "room" and small:
            continue
        found.append(reason)
    return tuple(found)


def wish_after(before: Wish, reasons: Collection[str], glasses_shown: bool | None) -> Wish:
    """The wish of the next round: what was asked for stays until something else is. `glasses_shown`: by the photos."""
    expression = next((reason for reason in ("smile", "serious") if reason in reasons), before.expression)
    glasses = before.glasses
    if "glasses" in reasons and glasses_shown is not None:
        glasses = "on" if glasses_shown else "off"
    return Wish(
        clothes=before.clothes + ("clothes" in reasons),
        glasses=glasses,
        expression=expression,
        room=before.room or "room" in reasons,
        looser=before.looser + ("looser" in reasons),
    )


def wish_of(wishes: Mapping[str, Any], turn: int) -> Wish:
    """What holds in this round: the newest wish up to it, by the seat's record (round as text → wish)."""
    turns = [int(asked) for asked in wishes if int(asked) <= turn]
    return Wish(**wishes[str(max(turns))]) if turns else AS_USUAL


def other_garment(kit: BrandKit, usual: Garment | None, wish: Wish) -> Garment | None:
    """What is worn when other clothes were asked for: the next choice of the wardrobe each time, round and round."""
    if not wish.clothes:
        return usual
    choices = kit.wardrobe.choices
    at = choices.index(usual) if usual in choices else -1
    return choices[(at + wish.clothes) % len(choices)]


def say_expression(kit: BrandKit, index: int, wish: Wish, *, small: bool) -> str:
    """The words of one candidate's expression."""
    if wish.expression == "smile":
        return SMILE
    if wish.expression == "serious":
        return "" if small else SERIOUS
    return kit.candidates.expressions[index % len(kit.candidates.expressions)]
