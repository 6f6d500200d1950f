"""Deliver: approved pictures leave as the directories take them, marked as what they are, with a manifest.

Nothing leaves without a reviewer's approval. Delivering twice to the same place replaces what the first delivery
wrote there, and takes away the files of people who are no longer approved; where that is more than a tenth of what
lies there, it stops and asks. Whose picture is new, changed or gone stands on the batch's pages and in `changes.csv`.
"""

from typing import Annotated

from prefect.artifacts import create_markdown_artifact

from flows.announcing import point_to_desk
from flows.story import BATCH, field, fits, named_by_batch, story
from reports.task import build_report
from tasks.delivery.handing_over import TooManyGo
from tasks.delivery.task import deliver_pack
from tasks.headshots.form_words import batch_meant
from tasks.vault.failures import NotLikeThis

PLACE = r"|/.+|s3://.+"  # whole paths: a worker's folder is nobody's
PACKS = r"[a-z0-9-]*( *, *[a-z0-9-]+)* *"
# What HR reads in the form, and the template behind it.
NAMES = {
    "as each directory wants them": "",
    "employee number": "{number}",
    "work e-mail": "{email}",
    "number and name": "{number}_{name}",
}

Batch = Annotated[
    str,
    field(
        "Batch",
        "By its kit, its day and how many people it has; or the one that was reviewed last.",
        pattern=f"|{BATCH}",
    ),
]
Destination = Annotated[
    str,
    field(
        "Where to",
        "Leave empty: the files go into a folder named by the batch, below the export folder of the settings. Or the "
        "whole path of another folder there, or s3://bucket/prefix. To take the files away as a ZIP, use the desk.",
        pattern=PLACE,
    ),
]
Names = Annotated[str, field("File names", "What the files are called by.", choices=list(NAMES))]
Packs = Annotated[
    str,
    field(
        "For which directories",
        "Names of packs, separated by commas: active-directory, badge, bamboohr, entra, google-workspace, linkedin, "
        "personio, signature, slack, website, workday, or one of the company's own. Empty: the brand kit's own sizes.",
        pattern=PACKS,
    ),
]


TakeAway = Annotated[
    bool,
    field(
        "Take many files away",
        "Lets this delivery remove more than a tenth of the files there. Look first at whose they are: the batch's "
        "page about the run says it once a delivery has stopped.",
    ),
]


@story("deliver", named_by_batch("deliver"))
def deliver(
    destination: Destination = "",
    batch: Batch = "",
    names: Names = "as each directory wants them",
    packs: Packs = "",
    take_away: TakeAway = False,
) -> str:
    """Writes every approved picture as the chosen directories take it, checks each file, and lists them in a manifest.

    Returns the batch's number.
    """
    batch = fits(batch_meant(batch), f"|{BATCH}", "Batch: choose one of the list.")
    fits(destination, PLACE, "Where to: nothing, a folder by its whole path, or s3://bucket/prefix.")
    fits(packs, PACKS, "For which directories: names of packs, separated by commas.")
    if names not in NAMES:
        raise NotLikeThis(f"File names: choose one of {', '.join(NAMES)}.")
    wanted = [pack.strip() for pack in packs.split(",") if pack.strip()]
    try:
        done = deliver_pack(batch, destination, NAMES[names], wanted, take_away)
    except TooManyGo as asks:
        build_report(asks.batch)  # whose files would go stands there by name
        raise
    build_report(str(done["batch"]))
    point_to_desk(str(done["batch"]))
    create_markdown_artifact(
        key=f"delivery-{done['batch']}",
        markdown=(
            f"**{done['people']} people** in {done['files']} files ({int(done['bytes']) / 2**20:.1f} MiB); "
            f"{done['skipped']} people have nothing approved yet. Every file was read back and says how it was made; "
            "`handover.html` says how to hand them over, `manifest.csv` lists them all, `changes.csv` whose picture is "
            f"new ({done['new']}), changed ({done['changed']}) or removed "
            f"({done['removed']}{': ' if done['why'] else ''}{done['why']}). "
            f"{done['retired']} files of earlier deliveries were taken away."
        ),
        description="What was delivered",
    )
    return str(done["batch"])
