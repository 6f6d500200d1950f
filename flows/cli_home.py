"""`--home`, the same for every command: where Rollcall keeps everything."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tasks.vault.settings import Settings

Home = Annotated[Path | None, typer.Option(help="Where Rollcall keeps everything (default: var/).", show_default=False)]


def settings_for(home: Path | None) -> "Settings":
    """This process's settings, and a home that is nobody else's to read.

    --home goes to the environment, where child processes find it too.
    """
    from tasks.vault.process import close_home
    from tasks.vault.settings import load_settings

    if home is not None:
        os.environ["ROLLCALL_HOME"] = str(home.expanduser().absolute())
    settings = load_settings()
    close_home(settings.home)
    return settings
