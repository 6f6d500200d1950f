"""`rollcall deliver`, `reshoot`, `forget`, `retention` and `audit`: what leaves, what goes, and the proof.

None of these needs Prefect: forgetting works when everything else is down.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

retention = typer.Typer(help="What goes when, and doing it.", no_args_is_help=True)
audit = typer.Typer(help="The audit log.", no_args_is_help=True)
console = Console(highlight=False)


def deliver(
    batch: Annotated[str, typer.Argument(help="The batch's number, from the report's address.")],
    to: Annotated[str, typer.Option(help="A folder, a file ending in .zip, or s3://bucket/prefix.")],
    names: Annotated[str, typer.Option(help="File names: {number}, {email} or {number}_{name}.")] = "{number}",
    sizes: Annotated[str, typer.Option(help="Sizes from the kit, separated by commas; all when left out.")] = "",
) -> None:
    """Write approved pictures in every size of the kit, marked as AI-made, with a manifest."""
    from tasks.delivery.task import deliver_pack

    wanted = [size.strip() for size in sizes.split(",") if size.strip()]
    done = deliver_pack.fn(batch, to, names, wanted)
    console.print(f"{done['people']} people in {done['files']} files; {done['skipped']} have nothing approved yet.")


def forget(
    number: Annotated[str | None, typer.Argument(help="Employee number, as on the roster.")] = None,
    department: Annotated[str | None, typer.Option(help="Everybody of a department.")] = None,
    leavers: Annotated[Path | None, typer.Option(help="Everybody who is not on this roster any more.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase people now: photos, adapters, pictures, pages, records. Ends in a signed receipt."""
    from tasks.retention import choose_people
    from tasks.retention.erase import forget as erase_one
    from tasks.vault.settings import load_settings
    from tasks.vault.store import open_vault

    with open_vault(load_settings()) as vault:
        if number:
            found = choose_people.person_by_number(vault, number)
            people = [found] if found else []
        elif department:
            people = choose_people.people_of_department(vault, department)
        elif leavers:
            from tasks.roster.read import read_roster

            rows = read_roster(leavers.read_bytes(), leavers.name).rows
            people = choose_people.leavers(vault, [row.number for row in rows])
        else:
            console.print("Say whom: a NUMBER, --department or --leavers.")
            raise typer.Exit(2)
        if not people:
            console.print("Nobody on record fits.")
            raise typer.Exit(1)
        if not yes and not typer.confirm(f"Erase everything about {len(people)} people? This cannot be undone"):
            raise typer.Exit(1)
        for person in people:
            receipt = erase_one(vault, person, "requested", datetime.now(UTC))
            console.print(f"{person}: {receipt.state}, proof: {receipt.level}, receipt {receipt.id}")
            if receipt.secret:
                console.print(f"  for the person: their receipt's key is {receipt.secret} (we keep no copy)")


@retention.command("plan")
def plan() -> None:
    """What would go now, what stays and until when, and why."""
    from collections import Counter

    from tasks.retention.inventory import take_inventory
    from tasks.retention.plan import plan_deletions
    from tasks.retention.rules import load_rules
    from tasks.vault.settings import load_settings
    from tasks.vault.store import open_vault

    settings = load_settings()
    with open_vault(settings) as vault:
        found = take_inventory(vault)
        planned = plan_deletions(found.items, found.people, load_rules(settings.retention_rules), datetime.now(UTC))
    console.print(f"Goes now: {len(planned.delete)} items, and all of {len(planned.forget)} people.")
    for (kind, sentence), count in sorted(Counter((v.item.kind, v.sentence) for v in planned.delete).items()):
        console.print(f"  {count:>5}  {kind}: {sentence}", markup=False)
    for forgetting in planned.forget:
        console.print(f"         {forgetting.person}: {forgetting.reason}, due {forgetting.due_at:%Y-%m-%d}")
    console.print(f"Stays: {len(planned.keep)} items.")
    for (kind, sentence), count in sorted(Counter((v.item.kind, v.sentence) for v in planned.keep).items()):
        console.print(f"  {count:>5}  {kind}: {sentence}", markup=False)


@retention.command("run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    allow_mass_deletion: Annotated[
        bool, typer.Option("--allow-mass-deletion", help="Lift the limit that stops a wrong rule.")
    ] = False,
) -> None:
    """Delete what is past its time, verify, write receipts: what the nightly flow does, without Prefect."""
    from tasks.retention.sweep import run_retention
    from tasks.vault.settings import load_settings

    receipts = run_retention(
        load_settings(), datetime.now(UTC), dry_run=dry_run, allow_mass_deletion=allow_mass_deletion
    )
    for receipt in receipts:
        console.print(f"{receipt.person}: {receipt.state}, proof: {receipt.level}, receipt {receipt.id}")
    console.print(f"{len(receipts)} receipts.")


@retention.command("policy")
def policy(out: Annotated[Path, typer.Option(help="Where to write the page.")] = Path("retention-policy.html")) -> None:
    """The page that the law wants published, made from the same rules that are carried out."""
    from tasks.retention.policy import policy_page
    from tasks.retention.rules import load_rules
    from tasks.vault.settings import load_settings

    out.write_text(policy_page(load_rules(load_settings().retention_rules)), encoding="utf-8")
    console.print(f"Written: {out}")


@audit.command("verify")
def verify(
    checkpoint: Annotated[Path | None, typer.Option(help="A signed checkpoint kept somewhere else.")] = None,
) -> None:
    """Is the log what it was? Finds any edit, removal or reordering, against an outside checkpoint if given."""
    from tasks.vault import audit_log
    from tasks.vault.settings import load_settings
    from tasks.vault.store import open_vault

    known = json.loads(checkpoint.read_text(encoding="utf-8")) if checkpoint else None
    with open_vault(load_settings()) as vault:
        verdict = audit_log.verify(vault.engine, known)
    console.print(verdict.sentence)
    if not verdict.intact:
        raise typer.Exit(1)
