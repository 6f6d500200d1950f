"""Retention: what is past its time goes, every night; and "forget this person" goes now.

Both are thin: the work is `tasks.retention`, which needs no Prefect, so that forgetting works when Prefect is down.
Parameters, names and results are ids and counts.
"""

from typing import Annotated

from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from flows.story import PERSON, field, fits, named, story
from reports.site_of_batch import rewrite_report
from tasks.retention.case import Surroundings
from tasks.retention.clock import read_clock
from tasks.retention.erase import forget
from tasks.retention.forecast import forecast, say_forecast
from tasks.retention.holds import must_not_be_held
from tasks.retention.log_checkpoint import write_checkpoint
from tasks.retention.receipts import Receipt, receipts_left
from tasks.retention.rules import rules_or_built_in
from tasks.retention.sweep import run_retention
from tasks.vault.failures import NotErased
from tasks.vault.settings import load_settings
from tasks.vault.store import open_vault

DryRun = Annotated[bool, field("Only look", "Say what would be deleted and why, and delete nothing.")]
MassDeletion = Annotated[
    int,
    field(
        "Mass deletion",
        "Leave 0. When a sweep has stopped because it would cost many people their pictures, and that is meant: the "
        "number of people that it named. It is let through once, for that number and no other.",
    ),
]
PersonId = Annotated[
    str,
    field(
        "Person", "The opaque id from the report's address: p and 15 signs. Never a name or a number.", pattern=PERSON
    ),
]


@story("retention", named("retention"))
def retention(dry_run: DryRun = False, mass_deletion: MassDeletion = 0) -> dict[str, int]:
    """Deletes what is past its time, checks that it is gone, and writes receipts. Catches up after an outage."""
    settings = load_settings()
    now = read_clock(settings.audit / "clock.json")
    if dry_run:
        with open_vault(settings) as vault:
            seen = forecast(vault, now)
        counts = {
            "would_stop": int(bool(seen.stops_because)), "items_due": len(seen.plan.delete),
            "people_due": len(seen.plan.forget), "held": len(seen.plan.held),
        }  # fmt: skip
        show("retention", "\n".join(f"    {line}" for line in say_forecast(seen)))  # as it stands, in Markdown
    else:
        receipts = run_retention(
            settings, now, mass_deletion=mass_deletion, actor="flow", rewrite_report=rewrite_report
        )
        counts = count(receipts)
        show("retention", table(counts))
        if counts["blocked"]:
            raise NotErased(counts["blocked"])
    return counts


@story("forget-a-person", named("forget", person=PERSON))
def forget_person(person: PersonId) -> str:
    """Erases everything that belongs to one person, checks that it is gone, and writes a receipt. Returns its id."""
    fits(person, "p[0-9a-f]{1,15}", "The person is given as the opaque id in the report's address: p and 15 signs.")
    settings = load_settings()
    now = read_clock(settings.audit / "clock.json")
    with open_vault(settings) as vault:
        around = Surroundings(
            rules_or_built_in(settings.retention_rules)[0], "flow", lambda batch: rewrite_report(vault, batch, now=now)
        )
        must_not_be_held(vault, rules_or_built_in(settings.retention_rules)[0], person, now)
        receipt = forget(vault, person, "requested", now, around)
        write_checkpoint(vault, now)
    show("forgotten", f"{receipt.sentence}\n\nReceipt: `{receipt.id}`")
    if receipts_left([receipt]):
        raise NotErased(1)
    return receipt.id


def count(receipts: list[Receipt]) -> dict[str, int]:
    """The sweep in numbers."""
    return {
        "people_forgotten": sum(1 for receipt in receipts if receipt.scope == "person" and receipt.state != "blocked"),
        "people_with_expired_items": sum(1 for receipt in receipts if receipt.scope == "items"),
        "items_removed": sum(sum(receipt.removed.values()) for receipt in receipts),
        "blocked": len(receipts_left(receipts)),
    }


def table(counts: dict[str, int]) -> str:
    """The numbers as Markdown."""
    rows = "".join(f"| {name.replace('_', ' ')} | {number} |\n" for name, number in counts.items())
    return "| what | how many |\n|---|---:|\n" + rows


def show(key: str, text: str) -> None:
    """Puts a result on the run's page; without a run (the plain function was called) there is no page."""
    if flow_run.id is not None:
        create_markdown_artifact(text, key=key)
