"""Who is told when something needs a person: one mail for what is new, again after a day while it lasts.

Incidents are made of the records and of the parts' answers; they hold ids, counts and dates, and nobody's name.
"""

import json
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlmodel import col, select

from flows.outcome import why_failed
from reports.readiness import Part
from tasks.vault.batches import seats_of
from tasks.vault.failures import BadSetting
from tasks.vault.files import replace_file
from tasks.vault.records import AuditEntry, Batch
from tasks.vault.settings import Settings
from tasks.vault.store import Vault

AGAIN = timedelta(days=1)  # one that goes on is told once a day, not at every look
LATELY = timedelta(days=7)  # batches that are looked at
TOLD = "alerts.json"


@dataclass(frozen=True)
class Incident:
    """Something that needs a person. `key` is the same as long as it is the same thing."""

    key: str
    sentence: str


def incidents(vault: Vault | None, parts: Sequence[Part], now: datetime) -> list[Incident]:
    """Everything that needs a person now. Without a vault only its own absence is known."""
    found = [Incident(f"part {part.name}", f"{part.name}: {part.said}") for part in parts if not part.well]
    return found if vault is None else [*found, *_stopped_sweep(vault), *_failed_batches(vault, now)]


def _stopped_sweep(vault: Vault) -> Iterator[Incident]:
    """A sweep that stopped before it deleted, and none has ended since."""
    last = sa.select(col(AuditEntry.seq), col(AuditEntry.action)).where(
        col(AuditEntry.action).in_(("sweep", "sweep_stopped"))
    )
    with vault.reading() as session:
        newest = session.execute(last.order_by(col(AuditEntry.seq).desc()).limit(1)).first()
    if newest is not None and newest.action == "sweep_stopped":
        yield Incident(
            f"sweep_stopped {newest.seq}",
            "The forgetting sweep stopped before it deleted anything: `rollcall retention plan` says why.",
        )


def _failed_batches(vault: Vault, now: datetime) -> Iterator[Incident]:
    with vault.reading() as session:
        batches = session.exec(select(Batch)).all()
    for batch in batches:
        began = str(batch.facts.get("started_at", ""))
        if began and now - datetime.fromisoformat(began) < LATELY and (why := why_failed(seats_of(vault, batch.id))):
            yield Incident(f"failed {batch.id} {began}", f"Batch {batch.id}: {why}")


def to_tell(found: Sequence[Incident], told: Mapping[str, str], now: datetime) -> list[Incident]:
    """What is new, or was told a day ago and lasts. Pure."""
    return [one for one in found if one.key not in told or now - datetime.fromisoformat(told[one.key]) >= AGAIN]


def tell(settings: Settings, found: Sequence[Incident], now: datetime) -> int:
    """Mails what has to be told, and remembers that; how many incidents. What is over is forgotten.

    Raises OSError or smtplib.SMTPException when the mail could not be handed over: then all of it is told next time.
    """
    kept = _kept(settings.home / TOLD)
    new = to_tell(found, kept, now)
    if new:
        send(settings, new, now)
    told = {one.key: now.isoformat() if one in new else kept[one.key] for one in found}
    if told != kept:
        replace_file(settings.home / TOLD, json.dumps(told, indent=1).encode())
    return len(new)


def _kept(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def send(settings: Settings, new: Sequence[Incident], now: datetime) -> None:
    """One mail about these, by the server of ROLLCALL_SMTP_URL; over TLS, but on this machine."""
    if settings.smtp_url is None:
        raise BadSetting("ROLLCALL_SMTP_URL names no server that carries alerts.")
    server, context = urlsplit(settings.smtp_url), ssl.create_default_context()
    host, here = server.hostname or "", server.hostname in {"127.0.0.1", "localhost", "::1"}
    if server.scheme == "smtps":
        line: smtplib.SMTP = smtplib.SMTP_SSL(host, server.port or 465, timeout=30, context=context)
    else:
        line = smtplib.SMTP(host, server.port or 587, timeout=30)
    with line:
        if server.scheme != "smtps" and (not here or line.has_extn("starttls")):
            line.starttls(context=context)
        if server.username:
            line.login(unquote(server.username), unquote(server.password or ""))
        line.send_message(_mail(settings, new, now))


def _mail(settings: Settings, new: Sequence[Incident], now: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = settings.alerts_from, settings.alerts_to
    mail["Subject"] = f"Rollcall: {new[0].key}" if len(new) == 1 else f"Rollcall: {len(new)} things need somebody"
    mail["Date"] = now
    lines = "\n".join(f"- {one.sentence}" for one in new)
    mail.set_content(f"{lines}\n\nMore: `rollcall doctor` on the control machine, and {settings.public_url}\n")
    return mail
