"""`rollcall kit` and `rollcall models`: what pictures look like, and what draws them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

kits = typer.Typer(help="Brand kits: list, look at, start one.", no_args_is_help=True)
models = typer.Typer(help="Base models: list, fetch.", no_args_is_help=True)
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
    from tasks.headshots.kit import KitError, load_kit
    from tasks.headshots.kit_card import draw_kit_card
    from tasks.vault.process import company_umask
    from tasks.vault.settings import load_settings
    from tasks.vision.images import encode

    try:
        kit = load_kit(name, load_settings().kits)
    except KitError as wrong:
        console.print(str(wrong), markup=False)
        raise typer.Exit(1) from wrong
    path = out or Path(f"{name}-card.png")
    with company_umask():
        path.write_bytes(encode(draw_kit_card(kit), "png"))
    console.print(f"Written: {path}")


@kits.command("new")
def new_kit(name: Annotated[str, typer.Argument(help="lower-case letters, digits and hyphens")]) -> None:
    """Start a kit from a commented file."""
    from tasks.headshots.kit import KitError
    from tasks.headshots.kit import new_kit as start
    from tasks.shipped import to_write_in
    from tasks.vault.process import company_umask
    from tasks.vault.settings import load_settings

    settings = load_settings()
    try:
        with company_umask():
            path = start(name, to_write_in(settings.kits, settings.home))
    except KitError as wrong:
        console.print(str(wrong), markup=False)
        raise typer.Exit(1) from wrong
    console.print(f"Written: {path}\nEdit it, then:  rollcall kit show {name}")


@models.command("list")
def list_models() -> None:
    """The base models and eyes there are cards for, their licences, and whether their files are here."""
    from tasks.vault.settings import load_settings
    from tasks.vision.diffusion_card import list_bases, load_base_card
    from tasks.vision.eyes_card import eyes_places, lacking, state_of

    table = Table("name", "title", "licence", "commercial use", "here", box=None)
    settings = load_settings()
    folder = settings.bases
    for name in list_bases(folder):
        card = load_base_card(name, folder)
        table.add_row(
            name,
            card.title,
            card.licence,
            "yes" if card.commercial_use else "no",
            "yes" if card.folder.is_dir() else "no",
        )
    console.print(table)
    for eyes, place in eyes_places(settings.models):
        usable = "cannot open yet" if lacking(eyes, place) else "can be used"
        console.print(f"\nEyes {eyes.name}: {eyes.title}; {usable}. Files in {place}:", markup=False, soft_wrap=True)
        for network in eyes.networks():
            console.print(f"  {state_of(place, network):<14}{network.file}", markup=False, soft_wrap=True)


@models.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help='A base from `rollcall models list`, or "opencv": eyes for real faces.')],
    source: Annotated[
        Path | None, typer.Option("--from", help="Folder that holds the files, for machines without a network.")
    ] = None,
) -> None:
    """Fetch model files by name: a base at its card's revision, or eyes file by file, each checked by sha256."""
    from tasks.shipped import to_write_in
    from tasks.vault.settings import load_settings
    from tasks.vision.diffusion_card import load_base_card
    from tasks.vision.eyes_card import OPENCV_CARD, read_eyes_card
    from tasks.vision.pull import PullFailed, pull_base, pull_eyes

    settings = load_settings()
    try:
        if name == read_eyes_card(OPENCV_CARD).name:
            folder = settings.models
            pull_eyes(read_eyes_card(OPENCV_CARD), folder, say=console.print, source=source)
        else:
            bases = to_write_in(settings.bases, settings.home)
            folder = pull_base(load_base_card(name, bases), say=console.print)
    except (PullFailed, LookupError) as failed:
        console.print(str(failed), markup=False)
        raise typer.Exit(1) from failed
    console.print(f"Here: {folder}")
