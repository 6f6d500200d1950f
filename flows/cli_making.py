"""`rollcall demo`, `make`, `reshoot` and `check`: from a drop to a report, here and now, or what it would take."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for
from tasks.failures import RollcallError
from tasks.shipped import SHIPPED
from tasks.vault.process import company_umask

if TYPE_CHECKING:
    from tasks.vault.settings import Settings
    from tasks.vault.store import Vault

console = Console(highlight=False)
DEMO_KIT = "northwind"

KitName = Annotated[str, typer.Option(help="Brand kit; `rollcall kit list` names them.")]
QualityName = Annotated[str, typer.Option(help="draft, standard or best.")]
PeopleCount = Annotated[str, typer.Option(help='How many people to photograph, or "all".')]


def demo(
    people: PeopleCount = "6", kit: KitName = DEMO_KIT, quality: QualityName = "standard", home: Home = None
) -> None:
    """The main job on Northwind Instruments, a company of people who do not exist. No GPU, hub or account."""
    drop = SHIPPED / "samples" / "northwind"
    console.print("Northwind Instruments is a synthetic company: nobody in these pictures exists.\n")
    run_batch(str(drop), kit, quality, people, home)


def make(
    drop: Annotated[str, typer.Argument(help="Folder with roster.csv (or .xlsx) and selfies/.")],
    kit: KitName = DEMO_KIT,
    quality: QualityName = "standard",
    people: PeopleCount = "all",
    only_new: Annotated[
        bool, typer.Option("--only-new", help="Only those of whom there is no picture under this kit yet.")
    ] = False,
    home: Home = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be done and how long it takes.")] = False,
    cards: Annotated[int, typer.Option(min=1, help="With --plan: cards, or workers, that share it.")] = 1,
    price: Annotated[
        float | None, typer.Option(min=0, help="With --plan: what an hour of one card costs.", show_default=False)
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Go on where photos are real and base or eyes know drawn people only.")
    ] = False,
) -> None:
    """Learn every face on a roster and take everybody's headshot under one brand kit. Running it again resumes."""
    if plan:
        say_plan(settings_for(home), drop, quality, people, cards, price)
        return
    if yes:
        os.environ["ROLLCALL_MIXED_WORLDS"] = "1"  # every step of the run asks the settings
    run_batch(drop, kit, quality, people, home, "new" if only_new else "everybody")


def say_plan(settings: "Settings", drop: str, quality: str, people: str, cards: int, price: float | None) -> None:
    """What the job would take: how somebody is learned, and hours, money and room for everybody on the roster."""
    from datetime import datetime

    from flows.cards import cards_gib
    from tasks.adapters.forecasting import plan_lines
    from tasks.adapters.outlook import outlook, say_outlook
    from tasks.vault.store import open_vault

    lines = plan_lines(settings, quality)
    with open_vault(settings) as vault:
        number = people_in(vault, drop) if people == "all" else int(people)
        if number:
            seen = outlook(vault, settings, quality, number, cards)
    if number:
        lines += say_outlook(
            seen, datetime.now().astimezone(), price=price if price is not None else settings.price_per_hour,
            currency=settings.currency, cards_gib=cards_gib(), settings=settings, quality=quality,
        )  # fmt: skip
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def people_in(vault: "Vault", drop: str) -> int:
    """How many people a drop's roster lists; none where there is no drop to read."""
    from tasks.roster.drop import DropFault, sort_contents
    from tasks.roster.open_drop import find_drop
    from tasks.roster.read import read_roster

    try:
        found = find_drop(drop, vault)
        roster = sort_contents(found.files()).roster
        return len(read_roster(found.read(roster), roster).rows)
    except (DropFault, OSError):
        return 0


def run_batch(drop: str, kit: str, quality: str, people: str, home: Path | None, who: str = "everybody") -> None:
    """Makes headshots here and now."""

    def start() -> str:
        from flows.headshots import make_headshots

        return make_headshots(drop, kit, quality, people, who)

    run_here(home, start)


def start_reshoot(batch: str) -> str:
    """Reshoots here and now."""
    from flows.reshoot import reshoot as story

    return story(batch)


def run_here(home: Path | None, story: Callable[[], str]) -> None:
    """Runs a story in this process, shows its progress, says where the report is. Ctrl-C loses nothing finished."""
    from flows.temporary_server import use_prefect

    settings = settings_for(home)
    console.print("Starting Prefect ...")
    use_prefect(settings, meanwhile=lambda: import_module("flows.headshots"))
    from flows.console import board
    from reports.site_of_batch import address_of_report

    try:
        with board(console):
            batch = story()
    except KeyboardInterrupt:
        raise RollcallError("Stopped. Nothing finished is lost: the same command carries on from here.") from None
    sum_up(settings, batch)
    console.print(f"\nReport: {address_of_report(settings, batch)}", soft_wrap=True)
    console.print(f"To review it with decisions kept:  rollcall review {batch}")


def sum_up(settings: "Settings", batch: str) -> None:
    """How many people stand where, and what this run really did."""
    from tasks.vault.batches import load_batch, seats_of
    from tasks.vault.store import open_vault

    vault = open_vault(settings)
    counts: dict[str, int] = {}
    for seat in seats_of(vault, batch):
        counts[seat.reason or seat.state] = counts.get(seat.reason or seat.state, 0) + 1
    facts = load_batch(vault, batch).facts
    console.print(f"\n{sum(counts.values())} people on the roster:")
    for what, number in sorted(counts.items(), key=lambda item: -item[1]):
        console.print(f"  {number:>4}  {what.replace('_', ' ')}")
    done = facts.get("work", {})
    if not done.get("trained") and not done.get("rendered"):
        console.print("Everything was there already: nothing was trained, nothing was rendered.")
    else:
        console.print(f"This run learned {done.get('trained', 0)} faces and took {done.get('rendered', 0)} pictures.")


def reshoot(batch: Annotated[str, typer.Argument(help="The batch's number.")], home: Home = None) -> None:
    """New pictures for everybody whom reviewers marked redo. Nothing is trained again."""
    run_here(home, lambda: start_reshoot(batch))


def check(
    roster: Annotated[Path, typer.Argument(help="roster.csv or .xlsx, or a folder with it and selfies/.")],
    selfies: Annotated[
        Path | None, typer.Argument(help="Folder with photos; leave out to check the roster only.")
    ] = None,
    consents: Annotated[Path | None, typer.Option(help="Consent register; found beside the roster by itself.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a CSV to send back, one line per problem.")] = None,
) -> None:
    """What is wrong with a roster and its photos, person by person, and what to do about it. Changes nothing."""
    from tasks.headshots.kit import frames_of
    from tasks.roster.open_drop import opened_drop
    from tasks.selfies.check import check_drop, check_upload, write_return_csv
    from tasks.vault.seat_kits import kit_names
    from tasks.vault.settings import load_settings
    from tasks.vision.diffusion_card import load_base_card
    from tasks.vision.open_eyes import open_eyes
    from tasks.vision.worlds import BaseWorld

    whole = roster.is_dir()
    register = consents or next((f for f in roster.parent.glob("consents.*") if f != roster), None)
    settings = load_settings()
    eyes = open_eyes(settings.eyes, settings.models) if selfies or whole else None
    card = load_base_card(settings.base, settings.bases)
    world, kits = BaseWorld(card.world, settings.mixed_worlds, card.render_size), kit_names(settings.kits)
    frames = frames_of(settings.kits)
    if whole:
        report = check_upload(opened_drop(roster, settings), eyes, base=world, kits=kits, frames=frames)
    else:
        report = check_drop(roster, selfies, register, eyes, base=world, kits=kits, frames=frames)
    for line in report.lines():
        console.print(line, markup=False, soft_wrap=True)
    if out:
        with company_umask():
            write_return_csv(report, out)
        console.print(f"\nWritten: {out}", markup=False, soft_wrap=True)
