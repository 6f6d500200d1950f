"""`rollcall backup`, `restore` and `rotate`: everything but the pictures into two places, the way back, new keys."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for

console = Console(highlight=False)


def backup(
    place: Annotated[Path, typer.Argument(help="A new folder for records, log and receipts.")],
    keys: Annotated[Path, typer.Option(help="A new folder, somewhere else, for the keys. Keep these backups short.")],
    home: Home = None,
) -> None:
    """Back up records, log and receipts to one place, keys to another; pictures have their store's own backup."""
    from tasks.retention.backup import make_backup
    from tasks.retention.clock import read_clock
    from tasks.vault.store import open_vault

    settings = settings_for(home)
    with open_vault(settings) as vault:
        besides = make_backup(vault, place, keys, read_clock(settings.audit / "clock.json"))
    console.print(f"Records, log and receipts: {place}\nKeys: {keys}", soft_wrap=True)
    for sentence in besides:
        console.print(f"Keep besides: {sentence}", markup=False, soft_wrap=True)


def restore(
    place: Annotated[Path | None, typer.Argument(help="A backup to put into this (empty) home first.")] = None,
    keys: Annotated[Path | None, typer.Option(help="The backup of the keys that belongs to it.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only look at this home, as it was put together.")] = False,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Records older than the log's checkpoint are meant: go on."),
    ] = False,
    home: Home = None,
) -> None:
    """Put a backup back and look at it: erasures since are carried out again, one blob of each kind is opened."""
    from tasks.retention.backup import look_after_restore, put_back, say_restored
    from tasks.retention.case import Surroundings
    from tasks.retention.clock import read_clock
    from tasks.retention.log_checkpoint import accept_log
    from tasks.retention.rules import rules_or_built_in
    from tasks.vault.store import open_vault

    settings = settings_for(home)
    if place is not None and not check:
        if keys is None:
            console.print("Name the backup of the keys too: --keys FOLDER.")
            raise typer.Exit(2)
        put_back(settings, place, keys)
    now = read_clock(settings.audit / "clock.json")
    with open_vault(settings) as vault:
        around = Surroundings(rules_or_built_in(settings.retention_rules)[0], "restore")
        found = look_after_restore(vault, now, around)
        if accept and found.log:
            console.print(f"Accepted, and written into the log: {accept_log(vault, now)}", markup=False, soft_wrap=True)
            found = look_after_restore(vault, now, around)
    for line in say_restored(found):
        console.print(line, markup=False, soft_wrap=True)
    raise typer.Exit(0 if found.well else 1)


def rotate(
    to: Annotated[str, typer.Argument(help="The new master key: a file that is not there yet, or kms:alias/NAME?...")],
    yes: Annotated[bool, typer.Option("--yes", help="Everything else is stopped: do not ask.")] = False,
    home: Home = None,
) -> None:
    """Wrap everybody's keys under a new master key; once the old one is gone, no older backup of keys opens a face."""
    from datetime import UTC, datetime

    from tasks.vault.failures import NotLikeThis
    from tasks.vault.settings import KMS
    from tasks.vault.store import open_vault

    settings = settings_for(home)
    new = to if to.startswith(KMS) else str(Path(to).expanduser().absolute())
    if new == settings.master_key_location or (not new.startswith(KMS) and Path(new).exists()):
        raise NotLikeThis("Name a file that is not there yet, or another key of the service.")
    if not yes and not typer.confirm("Is everything else stopped, on every machine"):
        raise typer.Exit(1)
    with open_vault(settings) as vault:
        number = vault.keys.rotate(new)
        vault.audit("master_key_rotated", "", result={"keys": number}, actor="command", now=datetime.now(UTC))
    console.print(f"Wrapped under the new master key: {number} keys.")
    console.print(
        f"Now: 1. ROLLCALL_MASTER_KEY={new} on every machine. 2. A new backup of keys. 3. Destroy the old master key, "
        f"{settings.master_key_location}, and every backup of it: what was erased before is noise for good then.",
        markup=False, soft_wrap=True,
    )  # fmt: skip
