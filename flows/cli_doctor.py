"""`rollcall doctor`: what is there and what is not, and with `--alert` a mail about what needs somebody."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for

if TYPE_CHECKING:
    from datetime import datetime

    from reports.readiness import Part
    from tasks.vault.settings import Settings

console = Console(highlight=False)


def doctor(
    alert: Annotated[
        bool,
        typer.Option("--alert", help="Mail ROLLCALL_ALERTS_TO what needs somebody; daily while it lasts."),
    ] = False,
    home: Home = None,
) -> None:
    """Is all of it there: records, keys, bucket, disk, clock, sweep, certificates, workers? Exit code 1: no."""
    from datetime import UTC, datetime

    from flows.doctor import examine

    settings, now = settings_for(home), datetime.now(UTC)
    parts = examine(settings, now)
    for part in parts:
        mark = "ok  " if part.well else "NOT " if part.needed else "look"
        console.print(f"{mark} {part.name:<16} {part.said}", markup=False, soft_wrap=True)
    if alert:
        _alert(settings, parts, now)
    raise typer.Exit(0 if all(part.well for part in parts) else 1)


def _alert(settings: "Settings", parts: "list[Part]", now: "datetime") -> None:
    import smtplib

    from flows.alerts import incidents, tell
    from tasks.vault.store import open_vault

    opens = not any(part.name == "vault" for part in parts)
    if opens:
        with open_vault(settings) as vault:
            found = incidents(vault, parts, now)
    else:
        found = incidents(None, parts, now)
    try:
        told = tell(settings, found, now)
    except (OSError, smtplib.SMTPException) as refused:
        console.print(f"The alert could not be sent ({type(refused).__name__}); the next time it is.", markup=False)
        raise typer.Exit(1) from refused
    console.print(f"{told} of {len(found)} things told to {settings.alerts_to or 'nobody'}.", markup=False)
