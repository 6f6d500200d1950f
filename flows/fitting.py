"""Whether a machine may work for an installation: the same code, kits, base, eyes, keys and bucket, and the right time.

The control machine notes its own in the records at every start (`note_house`); a worker's machine compares before it
takes any work, and again whenever the note changes. What does not fit is one sentence that says what to do: pictures
made by another code or kit would be a second studio, and keys made beside those that exist lose everything.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import Session, col, select

from tasks.headshots.kit import kit_digest, sort_kits
from tasks.shipped import SHIPPED
from tasks.vault.database import CLOCKS, ahead_of, open_database, reading, shape_of
from tasks.vault.failures import VaultError
from tasks.vault.records import Artifact, Installation
from tasks.vault.secrets_on_disk import create_secret
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vision.base_files import files_in
from tasks.vision.diffusion_card import BaseCard, load_base_card
from tasks.vision.drawn_by import drawing_card
from tasks.vision.pulled import why_not_here
from tasks.vision.weights import fingerprint_of

HOUSE = "house"  # the row's name in the table of the installation
CODE = ("flows", "tasks", "reports")


class DoesNotFit(VaultError):
    """This machine may not work for the installation; the sentence says what is different and what to do."""


class NotYet(DoesNotFit):
    """The control machine may still be starting: whoever has time asks again."""


@dataclass(frozen=True)
class House:
    """What has to be the same on every machine. `weights`: all files of the base, and of what draws (`[render]
    drawn_by`, else the base itself); empty where they are not here."""

    version: str
    code: str
    prefect: str
    kits: dict[str, str]
    base: str
    card: str
    weights: str
    drawn_by: str
    drawer_card: str
    drawer_weights: str
    eyes: str
    networks: str
    bucket: str
    encrypt: bool
    home: str


def house_of(settings: Settings) -> House:
    """What this machine has. Reads the weight files of base and drawer once. Raises UnknownBase."""
    card = load_base_card(settings.base, settings.bases)
    drawer = drawing_card(card, settings.bases)
    weights = _weights(card)
    return House(
        version=version("rollcall-headshots"),
        code=_digest(path for package in CODE for path in sorted((_code() / package).rglob("*.py"))),
        prefect=version("prefect"),
        kits={name: kit_digest(kit) for name, kit in sort_kits(settings.kits)[0].items()},
        base=settings.base,
        card=_card(card),
        weights=weights,
        drawn_by=drawer.name,
        drawer_card=_card(drawer),
        drawer_weights=weights if drawer.name == card.name else _weights(drawer),
        eyes=settings.eyes,
        networks=_networks(settings),
        bucket=bucket_of(settings.blobs_location),
        encrypt=settings.encrypt,
        home=home_mark(settings.home),
    )


def note_house(settings: Settings) -> str:
    """Notes this, the control machine's, as what every other one has to have. Returns the installation's name.

    Opens the vault, so whatever is wrong with keys or records is said before anything is started.
    """
    house = house_of(settings)
    with open_vault(settings) as vault:
        noted = None
        with suppress(DoesNotFit):  # an earlier version's: this one has taken its place
            noted = read_house(vault.engine)
        if noted is not None and noted.card == house.card and not house.weights:
            house = replace(house, weights=noted.weights)  # a worker has them, and told
        if noted is not None and noted.drawer_card == house.drawer_card and not house.drawer_weights:
            house = replace(house, drawer_weights=noted.drawer_weights)
        _write(vault, house)
        return vault.keys.name


def read_house(engine: sa.Engine) -> House | None:
    """What the control machine noted; None where none has been started since this was written down."""
    with reading(engine) as connection, Session(connection) as session:
        row = session.get(Installation, HOUSE)
    if row is None:
        return None
    try:
        return House(**json.loads(row.value))
    except TypeError as other:  # noted by a version that knew more, or less
        raise DoesNotFit(
            "The control machine runs another version of Rollcall: install the same one here, or update that one."
        ) from other


def check_fit(
    settings: Settings, installation: str, now: datetime, server_time: datetime | None = None, *, forgets: bool = False
) -> House:
    """Raises DoesNotFit, or what the vault says of keys and records; else what the installation has.

    `installation` is which records the server serves; `server_time` what its clock said at `now`. Who `forgets` works
    where reports, uploads and receipts lie. Makes nothing here: a machine that was told too little must not begin a
    second set of records or keys.
    """
    began = time.monotonic()
    _need_records(settings)
    with open_vault(settings) as vault:
        house, mine = read_house(vault.engine), house_of(settings)
        if house is None:
            raise NotYet("The control machine has not noted what it runs: start `rollcall up` of this version there.")
        if installation != vault.keys.name:
            raise DoesNotFit(
                "Server and records belong to different installations: check --server and ROLLCALL_DATABASE_URL."
            )
        vault.keys.prove_master()
        if forgets and mine.home != house.home:
            raise DoesNotFit(
                "Forgetting reaches reports, uploads and receipts, which lie in the control machine's home: mount that "
                "folder here and name it with --home."
            )
        clocks = _clock(vault, now, time.monotonic() - began, server_time)
        for sentence in (*_differences(mine, house), *clocks, *_bucket(vault)):
            raise DoesNotFit(sentence)
        whole = replace(house, weights=mine.weights, drawer_weights=mine.drawer_weights)
        if whole != house:
            _write(vault, whole)
        return whole


def bucket_of(location: str) -> str:
    """Which bucket and prefix, or folder, whatever the name by which a machine reaches its service."""
    parts = urlsplit(location)
    return f"s3://{parts.netloc}{parts.path}".rstrip("/") if parts.scheme == "s3" else location


def _need_records(settings: Settings) -> None:
    engine = open_database(settings.records_url) if _is_there(settings) else None
    if engine is None or shape_of(engine) is None:
        raise DoesNotFit(
            "There are no records here: set ROLLCALL_DATABASE_URL, ROLLCALL_KEYS_URL, ROLLCALL_BLOB_URL and "
            "ROLLCALL_MASTER_KEY as on the control machine. Nothing was made."
        )
    engine.dispose()


def _is_there(settings: Settings) -> bool:
    url = sa.make_url(settings.records_url)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def _differences(mine: House, house: House) -> Iterator[str]:
    """What is different, the graver first."""
    if (mine.version, mine.code) != (house.version, house.code):
        yield (
            f"This machine runs Rollcall {mine.version} (code {mine.code}), the installation {house.version} (code "
            f"{house.code}): install the same one here."
        )
    if mine.prefect != house.prefect:
        yield f"This machine has Prefect {mine.prefect}, the installation {house.prefect}: install the same one here."
    if mine.encrypt != house.encrypt:
        yield "ROLLCALL_ENCRYPT differs from the control machine's: set it as there."
    if mine.bucket != house.bucket:
        yield f"ROLLCALL_BLOB_URL means {mine.bucket} here and {house.bucket} on the control machine: set it as there."
    if others := sorted(name for name, digest in house.kits.items() if mine.kits.get(name) != digest):
        yield f"Brand kits are missing or different here ({', '.join(others)}): copy the control machine's brand_kits."
    if (mine.base, mine.card) != (house.base, house.card):
        yield (
            f"The base here is {mine.base} (card {mine.card}), on the control machine {house.base} "
            f"(card {house.card}): set ROLLCALL_BASE and ROLLCALL_BASES as there."
        )
    if mine.drawer_card != house.drawer_card:
        yield (
            f"Pictures are drawn by {mine.drawn_by}, whose card is another one here ({mine.drawer_card}) than on the "
            f"control machine ({house.drawer_card}): set ROLLCALL_BASES as there."
        )
    yield from _files(mine.base, mine.weights, house.weights)
    if mine.drawn_by != mine.base:
        yield from _files(mine.drawn_by, mine.drawer_weights, house.drawer_weights)
    if (mine.eyes, mine.networks) != (house.eyes, house.networks):
        yield (
            f"The eyes here are {mine.eyes} ({mine.networks}), on the control machine {house.eyes} ({house.networks}): "
            "set ROLLCALL_EYES as there, and fetch their files with `rollcall models pull`."
        )


def _files(name: str, mine: str, theirs: str) -> Iterator[str]:
    if not mine:
        yield f"The files of the base {name} are not here: run `rollcall models pull {name}`."
    elif theirs and mine != theirs:
        yield f"The files of the base {name} are others here: fetch them anew, `rollcall models pull {name}`."


def _clock(vault: Vault, now: datetime, passed_s: float, server_time: datetime | None) -> Iterator[str]:
    """`passed_s`: seconds since this machine's clock said `now`."""
    database = ahead_of(vault.engine, now + timedelta(seconds=passed_s))
    server = None if server_time is None else now - server_time
    if database is not None and abs(database) > CLOCKS:
        off = _seconds(database)
        yield f"This machine's clock is {off} from that of the database: set it (NTP) before it works here."
    if server is not None and abs(server) > CLOCKS:
        mend = "set it (NTP) before it works here" if database is None else "the database's is right: set the server's"
        yield f"This machine's clock is {_seconds(server)} from that of the server: {mend}."


def _seconds(apart: timedelta) -> str:
    return f"{round(apart.total_seconds()):+d} s"


def _bucket(vault: Vault) -> Iterator[str]:
    """That it answers, and that it is the one: something that the records know of lies there."""
    newest = select(Artifact.key).order_by(col(Artifact.created_at).desc()).limit(20)
    with vault.reading() as session:
        some = list(session.exec(newest))
    if some and not any(vault.blobs.exists(key) for key in some):
        yield (
            "The bucket holds nothing of what the records name: set ROLLCALL_BLOB_URL (and its endpoint) to the "
            "installation's."
        )
    if not some:
        vault.blobs.exists("people/nobody/selfies/none")


def _write(vault: Vault, house: House) -> None:
    with vault.session() as session:
        session.merge(Installation(name=HOUSE, value=json.dumps(asdict(house), sort_keys=True)))


def _code() -> Path:
    return Path(__file__).resolve().parents[1]


def _card(card: BaseCard) -> str:
    return sha256(card.model_dump_json(exclude={"folder"}).encode()).hexdigest()[:16]


def _weights(card: BaseCard) -> str:
    """Of all that a base loads: its weights, and the texts and class pictures beside them. Another schedule or
    tokenizer makes other pictures, too."""
    if why_not_here(card) is not None:
        return ""
    beside = [*files_in(card.folder, card.variant, card.vae).texts, *filter(None, [card.training.class_pictures])]
    return sha256(f"{fingerprint_of(card)} {_digest(card.folder / name for name in beside)}".encode()).hexdigest()[:16]


def _networks(settings: Settings) -> str:
    """Of the eyes' files: those that ship by their bytes; fetched ones are pinned, so by which of them are here."""
    if settings.eyes == "embedded":
        return _digest(sorted((SHIPPED / "base_models" / "eyes").glob("*.onnx")))
    here = sorted(path.name for path in settings.models.glob("*") if path.is_file())
    return sha256("\n".join(here).encode()).hexdigest()[:12] if here else "none"


def home_mark(home: Path) -> str:
    """The name of this home, made at its first use: machines that share one volume know that they do."""
    mark = home / "home.id"
    if not mark.exists():
        create_secret(mark, os.urandom(8).hex().encode())
    return mark.read_text(encoding="utf-8")


def _digest(paths: Iterable[Path]) -> str:
    total = sha256()
    for path in paths:
        total.update(f"{path.name}\n".encode() + path.read_bytes())
    return total.hexdigest()[:12]
