"""`rollcall upgrade`: the one command that changes the shape of records that hold something."""

from typing import Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for

console = Console(highlight=False)


def upgrade(
    yes: Annotated[
        bool, typer.Option("--yes", help="Everything is stopped, and there is a backup: do not ask.")
    ] = False,
    home: Home = None,
) -> None:
    """Bring the records of an older Rollcall to this one's shape. There is no way back but a backup."""
    from tasks.vault.database import NEWEST, holds_something, open_database, shape_of, upgrade

    engine = open_database(settings_for(home).records_url)
    before = shape_of(engine)
    if before == NEWEST:
        console.print("The records have this Rollcall's shape already.")
        return
    asks = before is not None and holds_something(engine) and not yes
    if asks and not typer.confirm("Is everything else stopped, and is there a backup of records and keys"):
        raise typer.Exit(1)
    console.print(f"Upgraded from shape {upgrade(engine)[0]} to {NEWEST}.")
    engine.dispose()
