"""`rollcall deliver` and `rollcall packs`: what leaves, for which directories, and what that changes there."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for

if TYPE_CHECKING:
    from tasks.delivery.handing_over import TooManyGo
    from tasks.vault.settings import Settings

console = Console(highlight=False)


def packs(home: Home = None) -> None:
    """What can be delivered: each pack, what it is for, and what is wrong with those that cannot be used."""
    from tasks.delivery.pack import sort_packs

    sound, broken = sort_packs(settings_for(home).packs)
    for name, pack in sound.items():
        sizes = ", ".join(f"{one.width}x{one.height} {one.format}" for one in pack.files)
        console.print(f"{name:<18} {pack.title}: {pack.purpose} {sizes}", markup=False, soft_wrap=True)
    for wrong in broken.values():
        console.print(f"cannot be used: {wrong}", markup=False, soft_wrap=True)
    if broken:
        raise typer.Exit(1)


def deliver(
    batch: Annotated[str, typer.Argument(help="The batch's number, from the report's address.")],
    to: Annotated[str, typer.Option(help="A folder, a file ending in .zip, or s3://bucket/prefix.")],
    packs: Annotated[
        str,
        typer.Option(help="Directories: entra,slack,... (`rollcall packs` lists them); the kit's sizes if left out."),
    ] = "",
    names: Annotated[
        str,
        typer.Option(help="File names: {number}, {email}, {upn} or {number}_{name}; each pack's own when left out."),
    ] = "",
    take_away: Annotated[
        bool, typer.Option("--take-away", help="Do not ask where more than a tenth of the files there would go.")
    ] = False,
    home: Home = None,
) -> None:
    """Write approved pictures as directories take them, marked as AI-made, with a manifest and a hand-over page."""
    from reports.site_of_batch import rewrite_report
    from tasks.delivery.handing_over import TooManyGo
    from tasks.delivery.task import deliver_pack
    from tasks.vault.store import open_vault

    settings = settings_for(home)  # names the home that the step will open
    wanted = [pack.strip() for pack in packs.split(",") if pack.strip()]
    try:
        done = deliver_pack.fn(batch, to, names, wanted, take_away, at_shell=True)
    except TooManyGo as asks:
        _show_going(settings, asks)
        if not typer.confirm("Take these files away"):
            raise typer.Exit(1) from asks
        done = deliver_pack.fn(batch, to, names, wanted, True, at_shell=True)
    with open_vault(settings) as vault:
        rewrite_report(vault, str(done["batch"]))
    console.print(f"{done['people']} people in {done['files']} files; {done['skipped']} have nothing to deliver.")
    console.print(
        f"New: {done['new']}, changed: {done['changed']}, as before: {done['unchanged']}, removed: {done['removed']}"
        f"{' (' if done['why'] else ''}{done['why']}{')' if done['why'] else ''}. changes.csv says whose.",
        markup=False, soft_wrap=True,
    )  # fmt: skip


def _show_going(settings: "Settings", asks: "TooManyGo") -> None:
    """Whose files would go, by name, before anybody says yes."""
    from tasks.delivery.manifest import change_rows
    from tasks.delivery.sitters import people_of
    from tasks.vault.store import open_vault

    with open_vault(settings) as vault:
        people = people_of(vault, [one for one, _ in asks.changes.removed])
    console.print(str(asks), markup=False, soft_wrap=True)
    for number, name, _email, change, why, paths in change_rows(asks.changes, people):
        if change == "removed":
            console.print(f"  {number:<12} {name or 'forgotten'}: {why}  {paths}", markup=False, soft_wrap=True)
