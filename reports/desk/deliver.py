"""The desk's page for taking a batch's approved pictures away: which directories they are for, and one ZIP.

Making it takes a while for a large company, so it is made beside the page, which says how far it is. Whoever asked for
it takes it, for half an hour; it has no name on this machine and ends with the desk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from reports.desk.login import signed_in
from reports.door.door import Door, Session
from reports.site import render
from reports.site_of_batch import rewrite_report
from tasks.delivery.destinations import Delivered, Leaving
from tasks.delivery.ordering import DeliveryWish, deliver_wish
from tasks.delivery.pack import KIT, Pack, choose_packs, kit_pack, sort_packs
from tasks.delivery.sitters import people_of, sitters_of, why_absent, why_gone
from tasks.delivery.zips import DownloadDestination
from tasks.headshots.kit import KitError, load_kit
from tasks.sentences import tell
from tasks.vault.batches import load_batch
from tasks.vault.failures import NoSuchBatch, NotLikeThis
from tasks.vault.records import Employee
from tasks.vault.store import Vault
from tasks.vault.telling import told

FORM_SIZE = 16_384  # bytes
KEPT = timedelta(minutes=30)  # that a finished ZIP waits to be taken
AT_ONCE = 2  # deliveries that are made at the same time: the desk has to answer meanwhile
CHUNK = 1 << 20  # bytes
NAMES = ("", "{number}", "{email}", "{number}_{name}")  # templates; the first is each pack's own


class _Counting(DownloadDestination):
    """A download that says how many files are in it so far, and of whom."""

    files = 0

    def __init__(self, scratch: Path) -> None:
        super().__init__(scratch)
        self.people: set[str] = set()

    def deliver(self, file: Leaving, person: Employee) -> Delivered:
        there = super().deliver(file, person)
        self.files += 1
        self.people.add(person.id)
        return there


@dataclass
class Making:
    """One ZIP that somebody asked for."""

    wish: DeliveryWish
    owner: str  # the session that may take it
    began: datetime
    place: _Counting
    fault: str = ""
    counts: dict[str, int | str] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def ready(self) -> bool:
        return self.done.is_set() and not self.fault


class Makings:
    """The ZIPs of this desk, each for half an hour."""

    def __init__(self, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._vault, self._clock = vault, clock
        self._lock = threading.Lock()
        self._all: dict[str, Making] = {}

    def begin(self, wish: DeliveryWish, owner: str) -> str:
        """Starts making one; its number. A second press while it is made finds the same one. NotLikeThis while too many
        are being made."""
        with self._lock:
            self._forget_old()
            for number, one in self._all.items():
                if (one.wish, one.owner) == (wish, owner) and not one.done.is_set():
                    return number
            if sum(not one.done.is_set() for one in self._all.values()) >= AT_ONCE:
                raise NotLikeThis(tell("deliver.busy"))
            number = token_hex(8)
            making = Making(wish, owner, self._clock(), _Counting(self._vault.settings.scratch))
            self._all[number] = making
        threading.Thread(target=self._make, args=(making,), daemon=True).start()
        return number

    def of(self, number: str, batch: str, owner: str) -> Making:
        """KeyError for one that is gone, or somebody else's."""
        with self._lock:
            self._forget_old()
            making = self._all[number]
        if making.wish.batch != batch or making.owner != owner:
            raise KeyError(number)
        return making

    def still_counts(self, making: Making) -> bool:
        """Whether everybody in a finished ZIP may still be shown; else it is thrown away, and says why."""
        known, now = people_of(self._vault, making.place.people), self._clock()
        if not any(why_gone(self._vault, known.get(one), now) for one in making.place.people):
            return True
        making.fault = tell("deliver.gone_since")
        making.place.abandon()
        return False

    def _make(self, making: Making) -> None:
        wish = making.wish
        try:
            making.counts = deliver_wish(self._vault, wish, lambda: making.place, self._clock)
            rewrite_report(self._vault, wish.batch, now=self._clock())
        except Exception as fault:
            making.fault = str(told(fault))
            making.place.abandon()
        finally:
            making.done.set()

    def _forget_old(self) -> None:
        for number, making in list(self._all.items()):
            if making.done.is_set() and self._clock() - making.began > KEPT:
                if making.place.file is not None:
                    making.place.file.close()
                del self._all[number]


def add_deliver(app: FastAPI) -> None:
    """The form, the page that waits, and the ZIP."""
    vault: Vault = app.state.vault
    door: Door = app.state.door
    makings = Makings(vault, app.state.clock)

    def page(request: Request, batch: str, error: str = "", status: int = 200) -> Response:
        session = signed_in(request)
        try:
            text = _form(vault, batch, session, door.token(session), app.state.clock(), error)
        except NoSuchBatch:
            raise HTTPException(404) from None
        return HTMLResponse(text, status)

    @app.get("/batches/{batch}/deliver")
    def ask(batch: str, request: Request) -> Response:
        return page(request, batch)

    @app.post("/batches/{batch}/deliver")
    async def begin(batch: str, request: Request) -> Response:
        session = signed_in(request)
        if int(request.headers["content-length"]) > FORM_SIZE:
            raise HTTPException(413)
        async with request.form(max_files=0, max_fields=60) as form:
            if not door.accepts(session, str(form.get("token"))):
                raise HTTPException(403)
            packs, names = [str(one) for one in form.getlist("pack")], str(form.get("names") or "")
        if not packs or names not in NAMES:
            return await run_in_threadpool(page, request, batch, tell("deliver.choose"), 422)
        wish = DeliveryWish(batch, packs, names, actor=session.author or "desk")
        try:
            await run_in_threadpool(_may_be, vault, wish)
            number = makings.begin(wish, session.id)
        except NoSuchBatch:
            raise HTTPException(404) from None
        except (NotLikeThis, KitError) as wrong:
            return await run_in_threadpool(page, request, batch, str(wrong), 409)
        return RedirectResponse(f"/batches/{batch}/deliver/{number}", 303)

    @app.get("/batches/{batch}/deliver/{number}")
    def wait(batch: str, number: str, request: Request) -> Response:
        session = signed_in(request)
        making = _found(makings, number, batch, session)
        context = {"batch": batch, "number": number, "making": making, "by": session.by, "token": door.token(session)}
        return HTMLResponse(render("delivering.html", root="/", size=f"{making.place.size / 2**20:.1f}", **context))

    @app.get("/batches/{batch}/deliver/{number}/headshots.zip")
    def take(batch: str, number: str, request: Request) -> Response:
        making = _found(makings, number, batch, signed_in(request))
        if not making.ready:
            raise HTTPException(404)
        if not makings.still_counts(making):
            return RedirectResponse(f"/batches/{batch}/deliver/{number}", 303)
        headers = {
            "Content-Disposition": 'attachment; filename="headshots.zip"',
            "Content-Length": str(making.place.size),
        }
        return StreamingResponse(_chunks(making), media_type="application/zip", headers=headers)


def _found(makings: Makings, number: str, batch: str, session: Session) -> Making:
    try:
        return makings.of(number, batch, session.id)
    except KeyError:
        raise HTTPException(404) from None


def _chunks(making: Making) -> Iterator[bytes]:
    """The file from its beginning, whoever else is reading it."""
    start = 0
    while making.place.file is not None and start < making.place.size:
        with making.place.reading:
            making.place.file.seek(start)
            data = making.place.file.read(CHUNK)
        start += len(data)
        yield data


def _may_be(vault: Vault, wish: DeliveryWish) -> None:
    """What can be said before anything is made."""
    kit = load_kit(load_batch(vault, wish.batch).kit, vault.settings.kits)
    choose_packs(kit, vault.settings.packs, wish.packs)


def _names() -> dict[str, str]:
    """What HR reads for each template."""
    words = (
        tell("deliver.names_pack"),
        tell("deliver.names_number"),
        tell("deliver.names_email"),
        tell("deliver.names_both"),
    )
    return dict(zip(NAMES, words, strict=True))


def _form(vault: Vault, batch: str, session: Session, token: str, now: datetime, error: str) -> str:
    sitters = sitters_of(vault, batch)
    leaving = sum(not why_absent(vault, sitter, now) for sitter in sitters)
    sound, broken = sort_packs(vault.settings.packs)
    kit_fault, packs = "", list[Pack]()
    try:
        packs.append(kit_pack(load_kit(load_batch(vault, batch).kit, vault.settings.kits)))
    except KitError as wrong:
        kit_fault = str(wrong)
    return render(
        "deliver.html", root="/", by=session.by, token=token, batch=batch, error=error or kit_fault,
        packs=[*sound.values(), *packs], own=KIT, broken=list(broken.values()), names=_names(), leaving=leaving,
        waiting=len(sitters) - leaving,
    )  # fmt: skip
