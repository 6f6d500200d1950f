"""`rollcall worker`: one command on any machine that shall learn and draw for an installation."""

import re
from typing import Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for

console = Console(highlight=False)
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """ "90", "90s", "10m" or "2h" in seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if found is None:
        raise typer.BadParameter(f"{text}: write a time such as 90s, 10m or 2h")
    return float(found[1]) * UNITS[found[2]]


def worker(
    server: Annotated[str, typer.Option(help="Prefect's address on the control machine, such as http://control:4200.")],
    pool: Annotated[
        str, typer.Option(help="gpu learns and draws; keep forgets, and needs the control machine's home.")
    ] = "gpu",
    workers: Annotated[int | None, typer.Option(min=1, help="How many; one per graphics card when left out.")] = None,
    until_idle: Annotated[
        str | None, typer.Option(help="End by itself after so long without work, such as 10m: for Slurm and its like.")
    ] = None,
    home: Home = None,
) -> None:
    """Work for an installation on another machine: checks that this one fits, then takes a group of people per card."""
    from flows.worker_machine import work

    if pool not in {"gpu", "keep"}:
        raise typer.BadParameter("choose gpu or keep", param_hint="--pool")
    work(
        settings_for(home), server, pool=pool, workers=workers,
        until_idle=None if until_idle is None else seconds(until_idle),
        say=lambda text: console.print(text, markup=False, soft_wrap=True),
    )  # fmt: skip
