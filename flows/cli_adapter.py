"""`rollcall adapter`: a learned face as a file for other tools."""

import getpass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for

adapter = typer.Typer(help="Learned faces as files for other tools.", no_args_is_help=True)
console = Console(highlight=False)


class Format(StrEnum):
    """What the file is written for."""

    diffusers = "diffusers"
    kohya = "kohya"


@adapter.callback()
def about() -> None:
    """Learned faces as files for other tools."""


@adapter.command("export")
def export(
    number: Annotated[str, typer.Argument(help="Employee number, as on the roster.")],
    to: Annotated[Path, typer.Option(help="Folder to write into.")] = Path("."),
    format: Annotated[
        Format, typer.Option(help="kohya for ComfyUI, A1111 and Forge (UNets only); diffusers: as it is kept.")
    ] = Format.diffusers,
    half: Annotated[bool, typer.Option("--half", help="In 16 bits: half as large.")] = False,
    base: Annotated[str | None, typer.Option(help="Learned on this base; the installation's when left out.")] = None,
    home: Home = None,
) -> None:
    """Write one person's adapter. Needs their leave as every use does; the audit log and a receipt name it."""
    from tasks.adapters.hand_out import hand_out
    from tasks.vault.files import replace_file
    from tasks.vault.store import open_vault

    settings = settings_for(home)
    with open_vault(settings) as vault:
        given = hand_out(
            vault, number, base or settings.base, format.value, half=half,
            actor=getpass.getuser(), now=datetime.now(UTC),
        )  # fmt: skip
    replace_file(to.expanduser().absolute() / given.name, given.data)
    console.print(f"Written: {to / given.name}", markup=False, soft_wrap=True)
    console.print("It is a face: whoever has it can draw this person. Erasing them here does not reach it.")
