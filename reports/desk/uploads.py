"""Uploads at the desk: what lies here and until when, one sent by mistake removed, a check stopped or begun anew."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from stat import S_ISREG

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from reports.desk.login import signed_in
from reports.desk.page import show
from reports.door.door import Door
from reports.uploads.checks import Checks
from reports.uploads.parts import is_coming
from reports.uploads.receiving import TABLE_BYTES, half_written
from reports.uploads.unpacking import FILE_BYTES, RESERVE
from tasks.retention.rules import rules_or_built_in
from tasks.roster.open_drop import upload_folders
from tasks.sentences import tell
from tasks.vault.settings import Settings
from tasks.vault.store import Vault

FORM_SIZE = 8192  # bytes


@dataclass(frozen=True)
class UploadLine:
    """One upload that lies here. `until`: when retention takes it at the latest."""

    id: str
    at: datetime
    files: int
    size: int
    until: datetime
    coming: bool


def kept_uploads(settings: Settings) -> list[UploadLine]:
    """Every upload that lies here, the newest first: a check whose page was closed is found again by its time."""
    rules, _ = rules_or_built_in(settings.retention_rules)
    found = []
    for folder in upload_folders(settings):
        try:
            stats = [one for path in folder.rglob("*") if S_ISREG((one := path.lstat()).st_mode)]
            made = folder.stat().st_mtime
        except FileNotFoundError:  # somebody else, or retention, takes it away meanwhile
            continue
        newest = max((one.st_mtime for one in stats), default=made)
        at = datetime.fromtimestamp(made, UTC)
        until = datetime.fromtimestamp(newest, UTC) + rules.keep.selfies_at_latest
        size = sum(one.st_size for one in stats)
        found.append(UploadLine(folder.name, at, len(stats), size, until, is_coming(folder)))
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)


def said_size(number: int) -> str:
    """`3 MB`, `1.6 GB`: as a person reads it."""
    return f"{number / 2**30:.1f} GB" if number >= 2**30 else f"{-(-number // 2**20)} MB"


def room_for(settings: Settings) -> int:
    """Bytes that an upload may take, beside what the records need."""
    return max(0, shutil.disk_usage(settings.home).free - RESERVE)


def limits(settings: Settings) -> str:
    """What an upload may hold, said before its first byte."""
    return tell(
        "upload.room", room=said_size(room_for(settings)), photo=FILE_BYTES // 2**20, table=TABLE_BYTES // 2**20
    )


def remove_upload(vault: Vault, identity: str, by: str, now: datetime) -> None:
    """Take an upload away for good, with its key. What a run has taken in is in the records and stays there."""
    folder = vault.settings.uploads / identity
    gone = half_written(folder)
    try:
        folder.rename(gone)  # from here on it is no upload; what a crash leaves of it is cleared at the next start
    except FileNotFoundError:  # whoever pressed at the same moment has it
        return
    files = sum(1 for path in gone.rglob("*") if path.is_file())
    shutil.rmtree(gone)
    names = (path.name.removeprefix(".").removesuffix(".part") for path in vault.settings.uploads.glob("*"))
    vault.destroy_upload_keys(list(names))
    vault.audit("upload_removed", identity, "", {"files": files}, actor=by, now=now)


def add_uploads(app: FastAPI, checks: Checks, known: Callable[[str], str]) -> None:
    """The list, and what can be done with one. `known`: the id of an upload that is here, else 404."""
    vault: Vault = app.state.vault
    door: Door = app.state.door

    async def by_leave(request: Request) -> None:
        if int(request.headers["content-length"]) > FORM_SIZE:
            raise HTTPException(413)
        async with request.form(max_files=0, max_fields=2) as form:
            if not door.accepts(signed_in(request), str(form.get("token"))):
                raise HTTPException(403)

    @app.get("/drops")
    @app.get("/drops/")
    def listed(request: Request) -> Response:
        found = kept_uploads(app.state.settings)
        return show(request, "uploads.html", uploads=found, said_size=said_size)

    @app.post("/drops/{identity}/remove")
    async def remove(identity: str, request: Request) -> Response:
        await by_leave(request)
        if identity in {folder.name for folder in upload_folders(vault.settings)}:  # else somebody has pressed before
            checks.forget(identity)
            remove_upload(vault, identity, signed_in(request).author or "reviewer", app.state.clock())
        return RedirectResponse("/drops", 303)

    @app.post("/drops/{identity}/stop")
    async def stop(identity: str, request: Request) -> Response:
        await by_leave(request)
        checks.stop(known(identity))
        return RedirectResponse(f"/drops/{identity}", 303)

    @app.post("/drops/{identity}/again")
    async def again(identity: str, request: Request) -> Response:
        await by_leave(request)
        checks.forget(known(identity))
        return RedirectResponse(f"/drops/{identity}", 303)
