"""`rollcall forget`, `retention` and `audit`: what goes, and the proof.

None of these needs Prefect: forgetting works when everything else is down.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.cli_home import Home, settings_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.retention.receipts import Receipt
    from tasks.vault.settings import Settings
    from tasks.vault.store import Vault

retention = typer.Typer(help="What goes when, and doing it.", no_args_is_help=True)
audit = typer.Typer(help="The audit log.", no_args_is_help=True)
console = Console(highlight=False)


def forget(
    number: Annotated[str | None, typer.Argument(help="Employee number, as on the roster.")] = None,
    department: Annotated[str | None, typer.Option(help="Everybody of a department.")] = None,
    leavers: Annotated[Path | None, typer.Option(help="Everybody who is not on this roster any more.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
) -> None:
    """Erase people now: photos, adapters, pictures, pages, records. Ends in a signed receipt; exit code 1: not all."""
    from reports.site_of_batch import rewrite_report
    from tasks.retention.case import Surroundings
    from tasks.retention.clock import read_clock
    from tasks.retention.erase import forget_people
    from tasks.retention.log_checkpoint import write_checkpoint
    from tasks.retention.reserve import give_way
    from tasks.retention.rules import rules_or_built_in
    from tasks.vault.store import open_vault

    settings = settings_for(home)
    give_way(settings.home)
    now = read_clock(settings.audit / "clock.json")
    with open_vault(settings) as vault:
        people = _whom(vault, number, department, leavers)
        if not people:
            console.print("Nobody on record fits.")
            raise typer.Exit(1)
        if not yes and not typer.confirm(f"Erase everything about {len(people)} people? This cannot be undone"):
            raise typer.Exit(1)
        rules, fault = rules_or_built_in(settings.retention_rules)
        if fault is not None:
            console.print(f"{fault}. Forgetting needs none of them and goes on.", markup=False)
        around = Surroundings(
            rules, "command", lambda batch: rewrite_report(vault, batch, now=now), progress=_say_progress
        )
        receipts = forget_people(vault, [(person, "requested", now) for person in people], now, around)
        _say_receipts(receipts, settings)
        write_checkpoint(vault, now)
    _end(receipts)


def _say_receipts(receipts: "Sequence[Receipt]", settings: "Settings") -> None:
    """Each receipt's sentence; under a blocked one, where something is left."""
    from tasks.retention.left import read_list

    for receipt in receipts:
        console.print(f"{receipt.sentence}  Receipt {receipt.id}, in {settings.receipts}", soft_wrap=True)
        for line in read_list(settings.home, receipt.id) if receipt.state == "blocked" else ():
            console.print(f"    left: {line}", markup=False, soft_wrap=True)


def _end(receipts: "Sequence[Receipt]") -> None:
    """Exit code 1 when something could not be removed: a script that calls this must not take it for done."""
    if any(receipt.state == "blocked" for receipt in receipts):
        raise typer.Exit(1)


def _say_progress(done: int, total: int) -> None:
    """Reading every file for a name can take a minute: a line that is written over says how far it is."""
    if console.is_terminal:
        ending = "\n" if done == total else "\r"
        console.print(f"Looking for traces: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", end=ending)


def _whom(vault: "Vault", number: str | None, department: str | None, leavers: Path | None) -> list[str]:
    """The ids of the people whom a wish means."""
    from tasks.retention import choose_people

    if number:
        return choose_people.people_by_number(vault, number)
    if department:
        return choose_people.people_of_department(vault, department)
    if leavers:
        from tasks.roster.read import read_roster

        rows = read_roster(leavers.read_bytes(), leavers.name).rows
        return choose_people.leavers(vault, [row.number for row in rows])
    console.print("Say whom: a NUMBER, --department or --leavers.")
    raise typer.Exit(2)


@retention.command("plan")
def plan(home: Home = None) -> None:
    """What the next sweep would do, and whether it would stop; what stays and until when, and why."""
    _say_forecast(home)


def _say_forecast(home: Path | None) -> None:
    """Prints the forecast, at the time that the sweep would believe."""
    from tasks.retention.clock import read_clock
    from tasks.retention.forecast import forecast, say_forecast
    from tasks.vault.store import open_vault

    settings = settings_for(home)
    with open_vault(settings) as vault:
        for line in say_forecast(forecast(vault, read_clock(settings.audit / "clock.json"))):
            console.print(line, markup=False, soft_wrap=True)


@retention.command("run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    mass_deletion: Annotated[
        int, typer.Option(min=0, help="Only after a sweep stopped: the number of people it named, to let it through.")
    ] = 0,
    if_overdue: Annotated[
        bool, typer.Option("--if-overdue", help="Only when the last finished sweep is more than 26 hours ago.")
    ] = False,
    home: Home = None,
) -> None:
    """Delete what is past its time, verify, write receipts: what the nightly flow does, without Prefect."""
    from reports.site_of_batch import rewrite_report
    from tasks.retention import overdue
    from tasks.retention.clock import read_clock
    from tasks.retention.sweep import run_retention
    from tasks.vault.store import open_vault

    if dry_run:
        _say_forecast(home)
        return
    settings = settings_for(home)
    now = read_clock(settings.audit / "clock.json")
    if if_overdue:
        with open_vault(settings) as vault:
            late = overdue.lateness(vault.engine, now)
        if late is None:
            return
        console.print(f"{overdue.sentence(late)} It is done now.", style="red", soft_wrap=True)
    receipts = run_retention(settings, now, mass_deletion=mass_deletion, actor="command", rewrite_report=rewrite_report)
    _say_receipts(receipts, settings)
    console.print(f"{len(receipts)} receipts.")
    _end(receipts)


@retention.command("search-again")
def search_again(
    receipt: Annotated[str, typer.Argument(help="The number of a receipt that is blocked.")], home: Home = None
) -> None:
    """Look again for a forgotten person's traces, with words that only you still know. They are stored nowhere."""
    from tasks.retention import erase
    from tasks.retention.case import Surroundings
    from tasks.retention.clock import read_clock
    from tasks.retention.log_checkpoint import write_checkpoint
    from tasks.retention.rows import SHORTEST_NAME
    from tasks.retention.rules import rules_or_built_in
    from tasks.vault.store import open_vault

    settings = settings_for(home)
    now = read_clock(settings.audit / "clock.json")
    asked = [
        (kind, typer.prompt(kind.capitalize(), default="", show_default=False, hide_input=True))
        for kind in ("name", "e-mail")
    ]
    words = [(kind, word.strip()) for kind, word in asked if len(word.strip()) >= SHORTEST_NAME]
    with open_vault(settings) as vault:
        if not words or receipt not in erase.open_cases(vault, now)[0]:
            console.print("There is nothing to look for, or no such receipt waits.")
            raise typer.Exit(1)
        around = Surroundings(rules_or_built_in(settings.retention_rules)[0], "command", progress=_say_progress)
        found = erase.search_again(vault, receipt, words, now, around)
        _say_receipts([found], settings)
        write_checkpoint(vault, now)
    _end([found])


@retention.command("policy")
def policy(
    out: Annotated[Path, typer.Option(help="Where to write the page.")] = Path("retention-policy.html"),
    home: Home = None,
) -> None:
    """The page that the law wants published, made from the same rules that are carried out."""
    from tasks.retention.policy import policy_page
    from tasks.retention.rules import load_rules
    from tasks.vault.process import company_umask

    settings = settings_for(home)
    records = settings.records_url.split(":", 1)[0].split("+", 1)[0]
    with company_umask():
        out.write_text(policy_page(load_rules(settings.retention_rules), records), encoding="utf-8")
    console.print(f"Written: {out}", markup=False, soft_wrap=True)


def consent_form(
    language: Annotated[str, typer.Option(help="en, de, fr or es.")] = "en",
    out: Annotated[
        Path | None, typer.Option(help="Where to write the page; consent-form-LANGUAGE.html in the home if left out.")
    ] = None,
    home: Home = None,
) -> None:
    """The form to ask people for their consent with: purpose, what is kept and how long, how to withdraw."""
    from reports.consent_form import LANGUAGES
    from reports.consent_form import consent_form as form
    from tasks.retention.rules import load_rules
    from tasks.vault.process import company_umask

    settings = settings_for(home)
    if language not in LANGUAGES:
        console.print(f"The form is written in {', '.join(LANGUAGES)}: choose one of them.")
        raise typer.Exit(2)
    place = out or settings.home / f"consent-form-{language}.html"
    with company_umask():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(form(load_rules(settings.retention_rules), language), encoding="utf-8")
    console.print(f"Consent form: {place.resolve().as_uri()}", soft_wrap=True)


@audit.command("verify")
def verify(
    checkpoint: Annotated[Path | None, typer.Option(help="A signed checkpoint kept somewhere else.")] = None,
    home: Home = None,
) -> None:
    """Is the log what it was, and every receipt too? Against this home's checkpoint, or better an outside one.

    Exit code 0: confirmed. 1: tampered with. 2: consistent, but no checkpoint confirms it.
    """
    from tasks.retention.log_checkpoint import verify_all
    from tasks.vault.store import open_vault

    with open_vault(settings_for(home)) as vault:
        verdict = verify_all(vault, checkpoint)
    console.print(verdict.sentence)
    for fault in verdict.faults[:20]:
        console.print(f"  {fault}", markup=False)
    raise typer.Exit(1 if verdict.faults else 0 if verdict.confirmed else 2)


@audit.command("looks")
def looks(number: Annotated[str, typer.Argument(help="Employee number, as on the roster.")], home: Home = None) -> None:
    """Who looked at this person's pages at the desk, and how often: for whoever has to answer that person."""
    from tasks.retention.choose_people import people_by_number
    from tasks.vault.looks import looks_at
    from tasks.vault.store import open_vault

    with open_vault(settings_for(home)) as vault:
        found = [look for person in people_by_number(vault, number) for look in looks_at(vault, person)]
    for name, times in found:
        console.print(f"{times:5}  {name}", markup=False)
    console.print(f"{sum(times for _, times in found)} looks by {len({name for name, _ in found})} people.")
