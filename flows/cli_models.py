"""`rollcall models`: what draws and what sees, where it comes from, under which licence, and whether it is here."""

import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from flows.cli_home import Home, settings_for

if TYPE_CHECKING:
    from tasks.vault.licences import Licence
    from tasks.vault.settings import Settings

models = typer.Typer(help="Models that draw and see: list, fetch.", no_args_is_help=True)
console = Console(highlight=False)


@models.command("list")
def list_models() -> None:
    """The base models and eyes there are cards for, their licences, and whether their files are here and whole."""
    from tasks.vault.settings import load_settings
    from tasks.vision.diffusion_card import list_bases, load_base_card
    from tasks.vision.eyes_card import eyes_places, lacking, state_of
    from tasks.vision.pulled import something_of, why_not_here

    table = Table(Column("name", no_wrap=True), "title", "licence", "commercial use", "here", box=None)
    settings = load_settings()
    folder = settings.bases
    notes = []
    for name in list_bases(folder):
        card = load_base_card(name, folder)
        wrong = why_not_here(card)
        begun = something_of(card.folder)
        notes += [wrong] if wrong and begun else []
        commercial = "no" if not card.commercial_use else "restricted" if card.restrictions else "yes"
        table.add_row(
            name, card.title, card.licence, commercial, "yes" if wrong is None else "in part" if begun else "no"
        )
    console.print(table)
    for note in notes:
        say(note)
    for eyes, place in eyes_places(settings.models):
        usable = "cannot open yet" if lacking(eyes, place) else "can be used"
        say(f"\nEyes {eyes.name}: {eyes.title}; {usable}. Files in {place}:")
        for network in eyes.networks():
            say(f"  {state_of(place, network):<14}{network.file}")


@models.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help='A base from `rollcall models list`, or "opencv": eyes for real faces.')],
    source: Annotated[
        Path | None, typer.Option("--from", help="A folder that was carried here, instead of the hub.")
    ] = None,
    mirror: Annotated[str | None, typer.Option(help="Another address that speaks the hub's protocol.")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Accept the licence that is shown; asked for once.")] = False,
    home: Home = None,
) -> None:
    """Fetch model files by name: of a base what it loads, of eyes their networks; each compared with its sha256."""
    from flows.own_copy import to_write_in
    from tasks.vault.licences import Licence
    from tasks.vision.diffusion_card import load_base_card
    from tasks.vision.eyes_card import OPENCV_CARD, read_eyes_card
    from tasks.vision.pull import pull_base
    from tasks.vision.pull_networks import pull_eyes

    settings = settings_for(home)
    eyes = read_eyes_card(OPENCV_CARD)
    if name == eyes.name:
        folder = settings.models
        for network in eyes.networks():
            _ask(settings, Licence(f"{name}/{network.file}", network.licence, network.origin), accept)
        pull_eyes(eyes, folder, say=say, source=source, mirror=mirror)
    else:
        card = load_base_card(name, to_write_in(settings.bases, settings.home))
        if card.repository is not None or source is not None:
            terms = (card.licence, card.licence_url or "", card.restrictions, card.revision or "")
            _ask(settings, Licence(name, *terms), accept)
        folder = pull_base(card, say=say, source=source, mirror=mirror)
    say(f"Here: {folder}")


def say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _ask(settings: "Settings", licence: "Licence", accepted: bool) -> None:
    """Shows a licence that nobody has accepted on this installation yet, and notes in the audit log who does."""
    from tasks.vault.licences import accept, is_accepted
    from tasks.vault.store import open_vault

    with open_vault(settings) as vault:
        if is_accepted(vault, licence):
            return
        for line in licence.lines():
            say(line)
        if not accepted and not (sys.stdin.isatty() and typer.confirm("Accept it for this installation?")):
            say("Nothing was fetched: read the licence, then run this again with --accept.")
            raise typer.Exit(1)
        accept(vault, licence, getpass.getuser(), now=datetime.now(UTC))
