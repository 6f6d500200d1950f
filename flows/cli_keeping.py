"""`rollcall forget`, `retention` and `audit`: what is kept, what goes, and the proof. Works when Prefect is down."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

retention = typer.Typer(help="What goes when, and doing it.", no_args_is_help=True)
audit = typer.Typer(help="The audit log.", no_args_is_help=True)
console = Console(highlight=False)
