"""`rollcall kit`: what pictures look like."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from tasks.headshots.kit import BrandKit

kits = typer.Typer(help="Brand kits: list, look at, start one.", no_args_is_help=True)
console = Console(highlight=False)


@kits.command("list")
def list_kits() -> None:
    """The kits there are, and what is wrong with those that cannot be used."""
    from tasks.headshots.kit import sort_kits
    from tasks.vault.settings import load_settings

    sound, broken = sort_kits(load_settings().kits)
    for name, kit in sound.items():
        console.print(f"{name:<16} {kit.title}", markup=False)
    for name, wrong in broken.items():
        console.print(f"{name:<16} cannot be used: {wrong}", markup=False, soft_wrap=True)


@kits.command("show")
def show_kit(
    name: Annotated[str, typer.Argument(help="Name of the kit.")],
    out: Annotated[Path | None, typer.Option(help="Where to write the card (default: NAME-card.png).")] = None,
) -> None:
    """Draw a kit's card: backdrop, framing guides, colours, before anybody is trained."""
    from tasks.headshots.kit import load_kit
    from tasks.headshots.kit_card import draw_kit_card
    from tasks.vault.process import company_umask
    from tasks.vault.settings import load_settings
    from tasks.vision.images import encode

    kit = load_kit(name, load_settings().kits)
    path = out or Path(f"{name}-card.png")
    with company_umask():
        path.write_bytes(encode(draw_kit_card(kit), "png"))
    console.print(f"Written: {path}", markup=False, soft_wrap=True)
    say_length(kit)


def say_length(kit: "BrandKit") -> None:
    """How long the kit's longest prompt is to the installation's base, by the base's own count."""
    from tasks.headshots.shots import shots_for
    from tasks.vault.settings import load_settings
    from tasks.vision.diffusion_card import UnknownBase, load_base_card
    from tasks.vision.tokens import count_tokens

    settings = load_settings()
    try:
        card = load_base_card(settings.base, settings.bases)
        worn = [garment.key for garment in kit.wardrobe.choices]
        shots = [shot for key in worn for shot in shots_for(kit, "", key, "on", card.speech, card.token, 0)]
        longest, most = count_tokens(card, [shot.prompt for shot in shots])
    except UnknownBase as unknown:
        console.print(f"The prompts' length was not counted: {unknown}", markup=False, soft_wrap=True)
        return
    console.print(f"Longest prompt: {longest} of the {most} tokens that {card.name} reads.", markup=False)
    if longest > most:
        console.print("What is beyond is cut: shorten the kit's prompt, its end is what gets lost.", markup=False)


@kits.command("new")
def new_kit(name: Annotated[str, typer.Argument(help="lower-case letters, digits and hyphens")]) -> None:
    """Start a kit from a commented file."""
    from flows.own_copy import to_write_in
    from tasks.headshots.kit import new_kit as start
    from tasks.vault.process import company_umask
    from tasks.vault.settings import load_settings

    settings = load_settings()
    with company_umask():
        path = start(name, to_write_in(settings.kits, settings.home))
    console.print(f"Written: {path}\nEdit it, then:  rollcall kit show {name}", markup=False, soft_wrap=True)
