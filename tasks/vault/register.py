"""The register of everything that belongs to a person: one entry per kind, where it lives, how long, how it goes.

`Vault.write` refuses a kind that is not here, and a test walks the code for places that are not; `docs/data.md`
is printed from this table, so what is documented is what is deleted.
"""

from dataclasses import dataclass
from typing import Literal

from tasks.vault.failures import UnknownKind

Place = Literal["blob", "record", "page", "memory", "scratch", "outside"]
Clock = Literal["biometric", "candidate", "approved", "record", "proof", "run", "outside"]


@dataclass(frozen=True)
class Kind:
    """One kind of artefact. `clock` names the retention rule that decides when it goes."""

    name: str
    what: str  # in words a reader of the privacy notice understands
    place: Place
    where: str
    clock: Clock
    how: str  # how it is deleted


_SHRED = "all versions deleted, absence verified by a second listing, key destroyed"
_ROW = "row deleted, write-ahead log emptied"
_BLOB = "people/<id>/{}/ in the blob store, encrypted"


def _blob(name: str, what: str, clock: Clock) -> Kind:
    return Kind(name, what, "blob", _BLOB.format(name), clock, _SHRED)


REGISTER: tuple[Kind, ...] = (
    _blob("selfies", "photos the person sent, without their metadata, and a small copy of each for pages", "biometric"),
    _blob("crops", "aligned faces cut from the photos", "biometric"),
    _blob("adapter", "the fine-tuned adapter: what was learnt about one face", "biometric"),
    _blob("checkpoints", "half-trained adapters, kept so that a killed run can go on", "run"),
    _blob(
        "looks",
        "measurements of photos and faces while a drop is taken in, kept so that a killed run can go on",
        "run",
    ),
    _blob("originals", "pictures as rendered, before finishing", "candidate"),
    _blob("headshots", "finished pictures; approved ones stay until the person leaves", "candidate"),
    _blob("thumbnails", "small versions of pictures for the report", "candidate"),
    _blob("pages", "parts of report pages about one person", "candidate"),
    _blob("packs", "delivery files waiting to be fetched", "candidate"),
    Kind(
        "report",
        "the person's page and pictures in a review report",
        "page",
        "<home>/reports/<batch>/people/<id>/ and every page that mentions the id; the same in the store, encrypted,"
        " where `ROLLCALL_REPORT_FILES=store`",
        "candidate",
        "folder removed, mentions rewritten, absence verified by reading every page",
    ),
    Kind("approved", "headshots a reviewer approved", "record", "Headshot.state", "approved", _SHRED),
    Kind(
        "employee",
        "name, e-mail, number, department, title, preferences",
        "record",
        "table employee",
        "approved",
        "fields emptied, the opaque id stays for the receipt; write-ahead log emptied",
    ),
    Kind(
        "tombstone",
        "a keyed pseudonym of a forgotten person's number, so that their consent from before does not count again",
        "record",
        "table employee, in the place of the number; its secret in <home>/keys/wrapped.db",
        "proof",
        "emptied with the receipt of the erasure",
    ),
    Kind("seat", "what became of the person in a batch, with findings", "record", "table seat", "record", _ROW),
    Kind("selfie", "measurements of a photo: size, findings, digest", "record", "table selfie", "biometric", _ROW),
    Kind("adapter_row", "how an adapter was trained", "record", "table adapter", "biometric", _ROW),
    Kind("headshot", "scores and seeds of a picture", "record", "table headshot", "candidate", _ROW),
    Kind("showing", "which batch shows which picture, and in which place", "record", "table showing", "record", _ROW),
    Kind(
        "earlier_name",
        "name, e-mail and number that the person had before, by which old folders are still found",
        "record",
        "table earliername",
        "approved",
        _ROW,
    ),
    Kind(
        "question",
        "what HR was asked about the person and answered, by opaque ids; what the roster said as a keyed pseudonym",
        "record",
        "table question",
        "record",
        _ROW,
    ),
    Kind("decision", "what a reviewer decided", "record", "table decision", "record", _ROW),
    Kind(
        "reviewer",
        "name and e-mail of whoever came in at the desk, for the opaque ids in decisions and log",
        "record",
        "table reviewer",
        "record",
        "name replaced by a pseudonym when they are forgotten",
    ),
    Kind(
        "sign_in",
        "who is signed in at the desk: the token's hash, and groups as the provider names them",
        "record",
        "table signin",
        "run",
        "row deleted at sign-out, and when the day is over",
    ),
    Kind("hold", "that nothing of the person may be deleted, why and by whom", "record", "table hold", "record", _ROW),
    Kind("artifact", "the list of the person's stored blobs", "record", "table artifact", "biometric", _ROW),
    Kind("consent", "proof that leave was given or withdrawn, by opaque id", "record", "table consent", "proof", _ROW),
    Kind(
        "erasure",
        "proof of deletion, by opaque id",
        "record",
        "table erasure and <home>/receipts/",
        "proof",
        "file and row deleted when their time is up",
    ),
    Kind(
        "audit",
        "the chain of what was done, by opaque id",
        "record",
        "table auditentry",
        "proof",
        "kept: an entry holds ids and counts only, and removing one would break the proof",
    ),
    Kind(
        "key",
        "the person's wrapped data keys",
        "record",
        "<home>/keys/wrapped.db",
        "biometric",
        "row overwritten, write-ahead log emptied; no new key for this id",
    ),
    Kind(
        "embedding",
        "face vectors for likeness",
        "memory",
        "memory of the scoring process",
        "run",
        "never written; gone when the step ends",
    ),
    Kind(
        "latent",
        "encoded photos while training",
        "memory",
        "memory of the training process",
        "run",
        "never written; gone when the step ends",
    ),
    Kind(
        "scratch",
        "temporary files of a step",
        "scratch",
        "<home>/scratch/<batch>/<id>/ and *.part files",
        "run",
        "folder removed with the step, and by every sweep",
    ),
    Kind(
        "log",
        "log lines",
        "scratch",
        "standard error and Prefect's logs",
        "run",
        "hold ids and codes only; a test reads them",
    ),
    Kind(
        "prefect",
        "flow runs, their parameters and events",
        "scratch",
        "Prefect's database",
        "run",
        "hold ids only; searched at every erasure",
    ),
    Kind(
        "upload",
        "what HR uploaded at the desk: roster and photos, sealed, until a batch has taken them in",
        "scratch",
        "<home>/drops/",
        "biometric",
        "photos removed when a batch has taken them in; a forgotten person's files and lines at once; the rest, with "
        "the upload's key, when photos' latest date is reached",
    ),
    Kind(
        "drop",
        "the roster and photo folder HR put down",
        "outside",
        "where HR put it",
        "outside",
        "HR's own: named in the receipt",
    ),
    Kind(
        "delivered",
        "pictures already handed over",
        "outside",
        "directories, badges, profiles",
        "outside",
        "named in the receipt",
    ),
    Kind(
        "backup",
        "backups of the blob store and the records",
        "outside",
        "the company's backups",
        "outside",
        "blobs in them are noise once the key is destroyed; records expire with the backup",
    ),
)

_BY_NAME = {kind.name: kind for kind in REGISTER}


def kind_of(name: str) -> Kind:
    """The entry for this kind; UnknownKind when nobody has decided how long it lives."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownKind(f"no entry in the register for kind {name!r}") from None


def blob_kind(name: str) -> Kind:
    """The entry for a kind of blob; UnknownKind when it is none."""
    kind = kind_of(name)
    if kind.place != "blob":
        raise UnknownKind(f"{name!r} is not a kind of blob")
    return kind


def data_map() -> str:
    """The register as a Markdown table, for `docs/data.md`."""
    head = "| what | where | until | how it goes |\n|---|---|---|---|\n"
    return head + "".join(f"| {kind.what} | {kind.where} | {kind.clock} | {kind.how} |\n" for kind in REGISTER)
