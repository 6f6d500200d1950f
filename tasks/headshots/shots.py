"""Shots: what the base model is asked for, as a pure function of the kit, the person's choices and a seed.

Everybody in a company gets the same words but for the person and the clothes, and the same seed for the same
candidate: the noise outside the person is then shared, so light and backdrop start out alike. The words for small
bases follow the grammar they were trained on (`synthetic/`): other words would mean nothing to them.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

import numpy as np

from tasks.headshots.backdrop import mean_colour
from tasks.headshots.kit import BrandKit
from tasks.headshots.kit_sections import Garment, PromptWords
from tasks.headshots.wishes import AS_USUAL, ROOM, Wish, other_garment, say_expression
from tasks.vision.colour import delta_e, to_lab

# The embedded base's words for plain backgrounds, as sRGB of the painted studio walls.
BACKGROUND_WORDS = {
    "white": "#eeeff0",
    "light grey": "#c9cacb",
    "grey": "#8c8d8e",
    "dark grey": "#4a4b4d",
    "navy": "#232e50",
    "blue": "#3f70bb",
    "light blue": "#9dc2df",
    "teal": "#24868a",
    "green": "#478a5e",
    "burgundy": "#7a2440",
    "orange": "#dd8a38",
    "beige": "#cfb999",
    "purple": "#6f449a",
    "yellow": "#e9c340",
}
DARK, CLEAR = 30.0, 40.0  # L*: too near to dark hair; clearly lighter than it
HUE_FIRST = np.array([0.5, 1.0, 1.0])  # weights of L*, a*, b* when a clearer word stands in for a dark wall
SMALL_GRAMMAR = PromptWords(
    positive="studio headshot of {who}, plain {background} background, {light}, {clothes}{expression}"
)
FULL_SENTENCE = PromptWords(
    positive="professional studio headshot photograph of {who}, wearing {clothes}, plain {background} seamless "
    "background, {light}, looking at the camera{expression}, head and shoulders, natural skin texture, 85mm lens",
    negative="cartoon, painting, plastic skin, retouched skin, beauty filter, text, watermark, extra people",
)
SENTENCES = {"small": SMALL_GRAMMAR}  # by how a base speaks; all others take the full sentence
KEEP = "keep"
NEAR, FAR = 25.0, 60.0  # degrees from the camera's axis: beyond these a side alone does not say where a light stands


@dataclass(frozen=True)
class Shot:
    """One candidate to render."""

    prompt: str
    negative: str
    seed: int  # shared by everybody in the company for this index
    index: int  # 0-based among the person's candidates
    face: str = ""  # what is asked for inside the face, where that is other words


def shots_for(
    kit: BrandKit,
    employee_id: str,
    wardrobe: str | None,
    glasses: str,
    speech: str,
    token: str,
    seed: int,
    wish: Wish = AS_USUAL,
    avoid: str = "",
    face_wall: str = "",
) -> list[Shot]:
    """All candidates of one person under one kit. `seed` moves with each extra round, never with the person; `wish` is
    what reviewers asked for when they asked for this round. `speech`: which prompts the base understands
    (`BaseCard.speech`); `avoid`: what its card wants in every negative prompt; `face_wall`: the wall that it wants
    named inside the face, whatever the kit's is."""
    words = kit.prompts.get(speech) or SENTENCES.get(speech, FULL_SENTENCE)
    small = speech == "small"
    glasses = wish.glasses or glasses
    who = f"a {token} person" + (" with glasses" if glasses == "on" else "")
    unwanted = [*words.negative.split(", "), *avoid.split(", "), "glasses" if glasses == "off" else ""]
    negative = ", ".join(dict.fromkeys(part for part in unwanted if part))
    garment = other_garment(kit, choose_garment(kit, employee_id, wardrobe), wish)
    shots = []
    for index in range(kit.candidates.per_person):
        expression = say_expression(kit, index, wish, small=small)
        told = {
            "who": who,
            "light": light_words(kit, small=small),
            "clothes": garment.words if garment else "",
            "expression": f", {expression}" if expression else "",
        }
        wall, room = background_word(kit, small=small), f", {ROOM}" if wish.room and not small else ""
        prompt, face = (_tidy(words.positive.format(background=w, **told) + room) for w in (wall, face_wall or wall))
        shots.append(Shot(prompt, negative, shot_seed(seed, index), index, "" if face == prompt else face))
    return shots


def choose_garment(kit: BrandKit, employee_id: str, wardrobe: str | None) -> Garment | None:
    """What a person wears; None means their own clothes. Unknown wishes fall back to the kit's own rule."""
    choices = {garment.key: garment for garment in kit.wardrobe.choices}
    wish = (wardrobe or "").strip().lower()
    if wish == KEEP and kit.wardrobe.keep_own:
        return None
    by_label = {garment.label.lower(): garment for garment in kit.wardrobe.choices}
    if found := choices.get(wish) or by_label.get(wish):
        return found
    if kit.wardrobe.assign == "rotate":
        draw = int.from_bytes(hashlib.sha256(f"wardrobe {employee_id}".encode()).digest()[:4], "big")
        return kit.wardrobe.choices[draw % len(kit.wardrobe.choices)]
    return choices[kit.wardrobe.default] if kit.wardrobe.default else kit.wardrobe.choices[0]


def background_word(kit: BrandKit, *, small: bool) -> str:
    """The trained word nearest to the backdrop (CIEDE2000), so that what is left at the edges is of its colour.

    Before a wall nearly as dark as black hair the small eyes cannot tell one from the other: a small base is asked for
    the word of nearest hue that is not dark. Finishing puts the brand's own backdrop behind the person anyway.
    """
    return _nearest_word(mean_colour(kit), small)


@functools.cache
def _nearest_word(colour: str, small: bool) -> str:
    brand = to_lab(_pixel(colour))
    walls = {word: to_lab(_pixel(value)) for word, value in BACKGROUND_WORDS.items()}
    if small and brand[0, 0, 0] < DARK:
        clear = [word for word, lab in walls.items() if lab[0, 0, 0] >= CLEAR]
        return min(clear, key=lambda word: float(np.linalg.norm((walls[word] - brand)[0, 0] * HUE_FIRST)))
    return min(walls, key=lambda word: float(delta_e(brand, walls[word])[0, 0]))


def light_words(kit: BrandKit, *, small: bool) -> str:
    """The kit's light in words; the small grammar knows three that a team can share, and no angle.

    Its "rembrandt light" names no side and comes from either; a softbox comes from the side that is named.
    """
    light = kit.lighting
    if small:
        return "softbox light" + ("" if light.key_side == "front" else f" from the {light.key_side}")
    hard = "gentle" if light.ratio < 1.6 else "soft" if light.ratio < 3 else "dramatic"
    where = f"from the {light.key_side}"
    if light.key_side != "front" and light.key_angle < NEAR:
        where = f"from just {light.key_side} of the camera"
    if light.key_side != "front" and light.key_angle > FAR:
        where = f"from far to the {light.key_side}"
    kind = "rembrandt lighting" if light.style == "rembrandt" else "softbox lighting"
    warm = ", warm" if light.warmth > 0.25 else ", cool daylight" if light.warmth < -0.25 else ""
    return f"{hard} {kind} {where}{warm}"


def shot_seed(seed: int, index: int) -> int:
    """A seed for a candidate, far from its neighbours' and below 2**31."""
    digest = hashlib.sha256(f"shot {seed} {index}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _tidy(prompt: str) -> str:
    """Without the gaps that left-out words leave."""
    parts = [part.strip() for part in prompt.replace("wearing ,", ",").split(",")]
    return ", ".join(part for part in parts if part)


def _pixel(colour: str) -> np.ndarray:
    return np.array([[[int(colour[i : i + 2], 16) for i in (1, 3, 5)]]], np.uint8)
