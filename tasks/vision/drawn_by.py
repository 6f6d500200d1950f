"""A person learned on a base and drawn by the weights that were distilled from it: fewer steps, the same adapter.

Which weights those are is a word of the base's card (`[render] drawn_by`). They take its adapters only if they are what
the base was made into, layer for layer: their card says so (`trained_from`), and their shapes are compared when drawn.
"""

from pathlib import Path

from tasks.vision.diffusion_card import BaseCard, UnknownBase, load_base_card

SAME = ("family", "latent_channels", "latent_factor", "world")


def drawing_card(card: BaseCard, folder: Path) -> BaseCard:
    """The card of the weights that draw what is learned on `card`: another's, or itself.

    UnknownBase where the other was not distilled from this one, or is of another kind.
    """
    named = card.render.drawn_by
    if named is None:
        return card
    other = load_base_card(named, folder)
    if other.trained_from != card.name:
        told = f"was made from {other.trained_from}" if other.trained_from else "names no base that it was made from"
        raise UnknownBase(
            f"{card.name}: `drawn_by` is {named}, whose card {told}. Only weights distilled from {card.name} take its "
            f'adapters: their card says trained_from = "{card.name}".'
        )
    for word in SAME:
        mine, theirs = getattr(card, word), getattr(other, word)
        if mine != theirs:
            raise UnknownBase(f"{card.name}: `drawn_by` is {named}, and its {word} is {theirs}, not {mine}.")
    return other
