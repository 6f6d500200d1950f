"""Make headshots: roster → selfies → cohorts → team → review report. Read this one first.

The flow is the story; each line is a task that asks our own records what is still missing and does that. Killing
it anywhere and running it again ends in the same result. Prefect sees ids and counts, never people.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from prefect.runtime import flow_run

from flows.announcing import BATCH, announce, bar, point_to_desk, sum_up
from flows.carrying_on import times_carried
from flows.dispatch import on_workers, take_and_judge, workers_there
from flows.outcome import fail_if_nobody_is_done
from flows.story import field, fits, story, this_run
from reports.task import build_report, let_withdrawn_photos_go
from tasks.adapters.plan import ENOUGH_PHOTOS, CannotLearn, plan_training
from tasks.adapters.task import announce_forecast, hold_costly, seat_people
from tasks.headshots.form_words import kit_labels, kit_meant
from tasks.headshots.kit import frames_of, sort_kits
from tasks.roster.open_drop import UPLOAD, located
from tasks.roster.task import begin_batch, take_roster
from tasks.selfies.task import take_selfies
from tasks.vault.batches import Order
from tasks.vault.failures import NotLikeThis
from tasks.vault.lease import being_made
from tasks.vault.settings import Settings, load_settings
from tasks.vision.diffusion_card import UnknownBase, load_base_card
from tasks.vision.drawn_by import drawing_card
from tasks.vision.pulled import why_not_here
from tasks.vision.worlds import misfit

QUALITIES = ["draft", "standard", "best"]
WHO = ["everybody", "new"]
_FOLDERS = "".join(f", or {name}" for name in load_settings().inputs) or ", or the folder that holds them"
# As they are when the flows are registered; `flows.forms` keeps the form's drop-down to what there is.
_KITS = kit_labels(load_settings().kits)
USUAL = next((label for label, name in _KITS.items() if name == "northwind"), "northwind")


def drop_pattern(settings: Settings) -> str:
    """What may stand for a drop in Prefect, which keeps it: an upload's number or a folder's name. A folder by its
    whole path only where IT has listed none; nothing that only HR's own computer knows."""
    uploads = rf"({re.escape(str(settings.uploads))}/)?{UPLOAD}"
    known = [re.escape(word) for named in settings.inputs.items() for word in named]
    return "|".join(["", uploads, *(known or ["/.+", "s3://.+"])])


PEOPLE = r"all|[1-9][0-9]{0,5}"

Drop = Annotated[
    str,
    field(
        "Roster and photos",
        f"Leave empty for the newest upload; or its number{_FOLDERS}.",
        pattern=drop_pattern(load_settings()),
    ),
]
Kit = Annotated[str, field("Brand kit", "Backdrop, light, framing and clothes for everybody.", choices=list(_KITS))]
Quality = Annotated[
    str, field("Quality", "draft to try things out, standard for real, best takes longest.", choices=QUALITIES)
]
People = Annotated[str, field("How many people", 'A number to try with some people first, or "all".', pattern=PEOPLE)]
Newcomers = Annotated[
    str, field("Who", "everybody, or new: only those of whom there is no picture under this kit yet.", choices=WHO)
]


def run_name() -> str:
    """What HR finds again: the kit and the day. What else was typed may be somebody's name, and stays out."""
    kit = kit_meant(str(flow_run.parameters.get("kit")), load_settings().kits)
    titles = {name: label for label, name in kit_labels(load_settings().kits).items()}
    begun = datetime.now(ZoneInfo(load_settings().timezone))
    words = ["headshots", *([titles[kit]] if kit in titles else []), f"{begun.day} {begun:%b %Y, %H:%M}"]
    return " · ".join(words)


@story("make-headshots", run_name)
def make_headshots(
    drop: Drop = "",
    kit: Kit = USUAL,
    quality: Quality = "standard",
    people: People = "all",
    who: Newcomers = "everybody",
) -> str:
    """Learns every face on the roster and takes everybody's headshot under one brand kit.

    Returns the batch's id. Everybody on the roster ends in the report exactly once, with a state and a reason.
    """
    settings = load_settings()
    order = Order(
        drop=located(drop, settings), kit=usable(kit_meant(kit, settings.kits), settings.kits),
        quality=known(quality, QUALITIES, "quality"), base=settings.base, people=counted(people),
        who="new" if known(who, WHO, "choice of people") == "new" else "everybody",
    )  # fmt: skip
    base_is_here(settings, order.quality)
    of_one_world(settings)
    batch = begin_batch(order)
    point_to_desk(batch)
    with being_made(settings, batch, this_run()), bar(f"progress-{batch}", BATCH):
        take_roster(batch, ordered=not times_carried(flow_run.tags or []))
        let_withdrawn_photos_go()
        take_selfies(batch, frames_of(settings.kits))
        cohorts = seat_people(batch)
        announce(batch, announce_forecast(batch, workers_there()))
        hold_costly(batch)  # who waits for a second person's yes is left alone by every step below
        take_and_judge(batch, cohorts)
        build_report(batch)
    sum_up(batch)
    fail_if_nobody_is_done(batch)
    return batch


def base_is_here(settings: Settings, quality: str) -> None:
    """Asks for the base before anybody's photo is looked at. Where workers draw, they ask for theirs themselves."""
    card = load_base_card(settings.base, settings.bases)
    try:
        plan_training(card, quality, ENOUGH_PHOTOS)
    except CannotLearn as distilled:
        raise NotLikeThis(str(distilled)) from distilled
    try:
        drawing = drawing_card(card, settings.bases)
    except UnknownBase as unfit:
        raise NotLikeThis(str(unfit)) from unfit
    for needed in (card, drawing):
        if not on_workers() and (wrong := why_not_here(needed)):
            raise NotLikeThis(wrong)


def of_one_world(settings: Settings) -> None:
    """A base for real people is not judged by eyes that have only seen drawings: said before anything is begun.

    The other way round nothing is stopped here: photographs that a base cannot draw are found as they come in, person
    by person, and the real-photo lane needs no base.
    """
    world = load_base_card(settings.base, settings.bases).world
    said = misfit(settings.eyes, settings.base, world)
    if said and world == "real" and not settings.mixed_worlds:
        raise NotLikeThis(f"{said} `rollcall make --yes` (or ROLLCALL_MIXED_WORLDS=1) goes on all the same.")


def usable(kit: str, folder: Path) -> str:
    """A kit that can be used to its end: what is wrong with one is said before anything is begun."""
    whole, broken = sort_kits(folder)
    if kit not in broken:
        return known(kit, list(whole), "brand kit")
    raise NotLikeThis(broken[kit])


def known(value: str, choices: list[str], what: str) -> str:
    """The form's checks can be switched off, so they are made again here."""
    if value not in choices:
        raise NotLikeThis(f"There is no such {what}. Choose one of: {', '.join(choices)}.")
    return value


def counted(people: str) -> str:
    """ "all" or a whole number of people."""
    return fits(people, PEOPLE, 'How many people: write a number such as 6, or "all".')
