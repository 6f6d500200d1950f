"""Make headshots: roster → selfies → cohorts → team → review report. Read this one first.

The flow is the story; each line is a task that asks our own records what is still missing and does that. Killing
it anywhere and running it again ends in the same result. Prefect sees ids and counts, never people.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.announcing import BATCH, announce, bar, sum_up
from flows.dispatch import take_and_judge
from flows.outcome import fail_if_nobody_is_done
from reports.task import build_report
from tasks.adapters.task import announce_forecast, seat_people
from tasks.headshots.kit import KitError, load_kit, sort_kits
from tasks.roster.drop import find_drop, newest_drop
from tasks.roster.task import take_roster
from tasks.selfies.task import take_selfies
from tasks.vault.batches import Order
from tasks.vault.settings import load_settings

QUALITIES = ["draft", "standard", "best"]
_KITS = list(sort_kits(load_settings().kits)[0])


def _field(title: str, description: str, choices: list[str] | None = None) -> Any:
    """How a parameter looks in Prefect's form: Prefect overwrites titles given any other way."""
    extra: dict[str, Any] = {"title": title, "description": description}
    return Field(json_schema_extra=extra | ({"enum": choices} if choices else {}))


Drop = Annotated[str, _field("Roster and photos", "The folder that holds them. Leave empty for the newest upload.")]
Kit = Annotated[str, _field("Brand kit", "Backdrop, light, framing and clothes for everybody.", _KITS)]
Quality = Annotated[
    str, _field("Quality", "draft to try things out, standard for real, best takes longest.", QUALITIES)
]
People = Annotated[str, _field("How many people", 'A number to try with some people first, or "all".')]


def run_name() -> str:
    """A name HR finds again: the drop's folder, the kit, the day."""
    asked = flow_run.parameters
    drop = str(asked.get("drop") or "newest upload").rstrip("/").rsplit("/", 1)[-1]
    return f"{drop} · {asked.get('kit')} · {datetime.now(UTC):%d %b %H:%M}"


@flow(name="make-headshots", flow_run_name=run_name, persist_result=False)
def make_headshots(
    drop: Drop = "", kit: Kit = "northwind", quality: Quality = "standard", people: People = "all"
) -> str:
    """Learns every face on the roster and takes everybody's headshot under one brand kit.

    Returns the batch's id. Everybody on the roster ends in the report exactly once, with a state and a reason.
    """
    settings = load_settings()
    order = Order(
        drop=drop or newest_drop(settings), kit=usable(kit, settings.kits),
        quality=known(quality, QUALITIES, "quality"), base=settings.base, people=counted(people),
    )  # fmt: skip
    find_drop(order.drop)
    batch = take_roster(order)
    with bar(f"progress-{batch}", BATCH):
        take_selfies(batch)
        cohorts = seat_people(batch)
        announce(batch, announce_forecast(batch))
        take_and_judge(batch, cohorts)
        build_report(batch)
    sum_up(batch)
    fail_if_nobody_is_done(batch)
    return batch


def usable(kit: str, folder: Path) -> str:
    """A kit that can be used to its end: what is wrong with one is said before anything is begun."""
    try:
        return load_kit(kit, folder).name
    except KitError as wrong:
        raise ValueError(str(wrong)) from wrong


def known(value: str, choices: list[str], what: str) -> str:
    """The form's checks can be switched off, so they are made again here."""
    if value not in choices:
        raise ValueError(f"There is no {what} called {value!r}. Choose one of: {', '.join(choices)}.")
    return value


def counted(people: str) -> str:
    """ "all" or a whole number of people."""
    if people != "all" and not (people.isdigit() and int(people) > 0):
        raise ValueError('How many people: write a number such as 6, or "all".')
    return people
