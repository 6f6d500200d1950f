"""`rollcall doctor`: everything that has to be there, asked one by one, with workers and what they run.

The same answers as the desk's `/ready` (`reports.readiness`), and Prefect's side, which takes the machines' login.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from flows.environment import SILENCE
from flows.fitting import DoesNotFit, house_of, read_house
from flows.logins import FILE, load_logins
from flows.prefect_api import GPU, POOLS, waiting_in
from reports.prefect_client import client
from reports.readiness import Part, readiness
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tasks.vault.telling import told
from tasks.vision.diffusion_card import UnknownBase


def examine(settings: Settings, now: datetime) -> list[Part]:
    """Every part. Where the vault does not open, that is the one answer."""
    try:
        vault = open_vault(settings)
    except Exception as fault:  # a sentence of ours, or the class of what nobody foresaw
        return [Part("vault", False, str(told(fault)), needed=True)]
    with vault:
        return [*readiness(vault, now), _code(vault), *workers(settings, now)]


def _code(vault: Vault) -> Part:
    """Whether this machine runs what the installation was told to."""
    try:
        house, mine = read_house(vault.engine), house_of(vault.settings)
    except (DoesNotFit, UnknownBase) as unfit:
        return Part("code", False, str(unfit), needed=False)
    if house is None:
        return Part("code", True, f"{mine.version} ({mine.code}); `rollcall up` has not noted it yet", needed=False)
    if (mine.version, mine.code) != (house.version, house.code):
        said = f"{mine.version} ({mine.code}) here, {house.version} ({house.code}) on the control machine"
        return Part("code", False, said, needed=False)
    return Part("code", True, f"{mine.version} ({mine.code})", needed=False)


def workers(settings: Settings, now: datetime) -> Iterator[Part]:
    """One answer for each pool: how many workers were lately heard of, and which."""
    if settings.machine_login is None and not (settings.home / FILE).is_file():
        return  # nothing was ever started here, and nobody said where
    try:
        with client(settings.prefect_api_url, settings.machine_login or load_logins(settings).machines) as api:
            for pool in POOLS:
                answer = api.post(f"/work_pools/{pool}/workers/filter", json={})
                waits = pool != GPU or bool(waiting_in(api, pool))
                yield of_pool(pool, answer.json() if answer.status_code == 200 else [], now, waits=waits)
    except httpx.HTTPError as silent:
        yield Part("workers", False, f"Prefect cannot be asked ({type(silent).__name__})", needed=False)


def of_pool(pool: str, listed: Sequence[dict[str, Any]], now: datetime, *, waits: bool = True) -> Part:
    """What there is to say of one pool's workers; without any it is well while nothing `waits` for one. Pure."""
    heard = [one["name"] for one in listed if now - _moment(one["last_heartbeat_time"]) < SILENCE]
    if not heard and not waits:  # cards come and go with the queue that lends them
        return Part(f"workers of {pool}", True, "none at this moment, and nothing waits for one", needed=False)
    if not heard:
        return Part(
            f"workers of {pool}", False, f"none was heard of in the last {SILENCE.seconds} seconds", needed=False
        )
    return Part(f"workers of {pool}", True, f"{len(heard)}: {', '.join(sorted(heard))}", needed=False)


def _moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)
