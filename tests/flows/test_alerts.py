"""Who is woken, by what, and how often; tried against a real mail server. Ids and counts, nobody's name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from flows.alerts import AGAIN, Incident, incidents, tell, to_tell
from flows.doctor import examine, of_pool
from reports.readiness import Part
from tasks.vault.records import Batch, Seat
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Mailbox:
    """What a mail server was handed; `refuses` while it is full."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.refuses = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses:
            return "452 no room"
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[tuple[Mailbox, Settings]]:
    """A mail server on this machine, and settings that name it."""
    import socket

    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    settings = Settings(
        home=tmp_path / "home", smtp_url=f"smtp://127.0.0.1:{port}", alerts_to="it@corp.example",
        alerts_from="rollcall@corp.example",
    )  # fmt: skip
    yield box, settings
    server.stop()


@pytest.fixture
def vault(mailbox: tuple[Mailbox, Settings]) -> Iterator[Vault]:
    with open_vault(mailbox[1]) as opened:
        yield opened


def broken_batch(vault: Vault) -> None:
    with vault.session() as session:
        facts = {"started_at": NOW.isoformat()}
        session.add(
            Batch(id="b1", order_key="k", created_at=NOW, drop="/d", kit="k", quality="q", base="b", facts=facts)
        )
        session.add(
            Seat(batch_id="b1", employee_id="p1", position=1, state="failed", cohort=0, cause="OutOfMemoryError")
        )


def test_a_batch_of_which_everybody_failed_is_mailed_once_and_again_after_a_day(
    mailbox: tuple[Mailbox, Settings], vault: Vault
) -> None:
    box, settings = mailbox
    broken_batch(vault)
    assert tell(settings, incidents(vault, [], NOW), NOW) == 1
    assert tell(settings, incidents(vault, [], NOW), NOW + AGAIN / 2) == 0
    assert tell(settings, incidents(vault, [], NOW), NOW + AGAIN) == 1
    [first, _] = box.mails
    assert (first["From"], first["To"]) == ("rollcall@corp.example", "it@corp.example")
    assert "OutOfMemoryError (1)" in str(first.get_payload())


def test_what_is_over_and_comes_back_is_new(mailbox: tuple[Mailbox, Settings], vault: Vault) -> None:
    ill = [Part("disk", False, "0.1 GB free", needed=True)]
    assert tell(mailbox[1], incidents(vault, ill, NOW), NOW) == 1
    assert tell(mailbox[1], incidents(vault, [], NOW), NOW) == 0
    assert tell(mailbox[1], incidents(vault, ill, NOW), NOW) == 1


def test_what_the_server_refuses_is_told_the_next_time(mailbox: tuple[Mailbox, Settings], vault: Vault) -> None:
    import smtplib

    box, settings = mailbox
    ill = [Part("disk", False, "0.1 GB free", needed=True)]
    box.refuses = True
    with pytest.raises(smtplib.SMTPException):
        tell(settings, incidents(vault, ill, NOW), NOW)
    box.refuses = False
    assert tell(settings, incidents(vault, ill, NOW), NOW) == 1


def test_a_stopped_sweep_is_told_until_one_has_ended(vault: Vault) -> None:
    vault.audit("sweep_stopped", "", actor="flow", now=NOW)
    [one] = incidents(vault, [], NOW)
    assert "stopped before it deleted" in one.sentence
    vault.audit("sweep", "", actor="flow", now=NOW)
    assert incidents(vault, [], NOW) == []


def test_an_old_batch_wakes_nobody(vault: Vault) -> None:
    broken_batch(vault)
    assert incidents(vault, [], NOW + timedelta(days=8)) == []


def test_only_what_is_new_is_told() -> None:
    old, new = Incident("a", "A"), Incident("b", "B")
    assert to_tell([old, new], {"a": NOW.isoformat()}, NOW) == [new]


def test_the_doctor_of_a_home_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with open_vault(settings):
        pass
    (tmp_path / "keys" / "wrapped.db").unlink()
    [part] = examine(settings, NOW)
    assert not part.well
    assert "there are none at" in part.said
    assert [one.key for one in incidents(None, [part], NOW)] == ["part vault"]


def test_a_pool_is_well_when_a_worker_was_lately_heard_of() -> None:
    lately, long_ago = (NOW - timedelta(seconds=s) for s in (20, 100))
    listed = [
        {"name": "a-code", "last_heartbeat_time": lately.isoformat()},
        {"name": "b-code", "last_heartbeat_time": long_ago.isoformat()},
    ]
    assert of_pool("gpu", listed, NOW).said == "1: a-code"
    assert not of_pool("gpu", listed[1:], NOW).well
    assert of_pool("gpu", listed[1:], NOW, waits=False).well, "nobody is mailed every day for cards that are not needed"
    assert of_pool("gpu", listed, NOW, waits=False).said == "1: a-code"
