"""Corrects a drop at the desk: whose photos those are, another roster, more consents, more photos; in parts, too.

Each answer is kept with the drop and the check begins anew; what was uploaded before stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from reports.desk import pages
from reports.desk.strays import thumbnail
from reports.door.door import Door, Session
from reports.uploads.archives import BadUpload
from reports.uploads.parts import PART_BYTES, Arrival, begin, done, have, take_part
from reports.uploads.receiving import add_photos, people_of, replace_table
from reports.uploads.sealed_form import sealed_form
from reports.uploads.unpacking import MOST_FILES, Room, Sent
from tasks.roster.upload import Upload
from tasks.selfies.check import CheckReport
from tasks.selfies.picks import BY_FILE, FILE, NOBODYS, read_answers
from tasks.sentences import tell

MOST_PICKS = 2_000  # in one form


@dataclass(frozen=True)
class Desk:
    """What the routes here need of the desk. `report`: a drop's last check, if there is one; `again`: forget it."""

    door: Door
    upload_of: Callable[[str], Upload]  # 404 for what is none
    session_of: Callable[[Request], Session]
    report: Callable[[str], CheckReport | None]
    again: Callable[[str], None]
    withdraw: Callable[[Upload], int]  # consents that the drop's register takes back
    remember: Callable[[str, str, str], object]  # two numbers, and who says that they are two people


def add_corrections(app: FastAPI, desk: Desk) -> None:
    """The routes that change a drop."""

    @app.post("/drops/{identity}/picks")
    async def pick(identity: str, request: Request) -> Response:
        upload = desk.upload_of(identity)
        async with request.form(max_files=0, max_fields=3 * MOST_PICKS) as form:
            _by_leave(desk, request, str(form.get("token")))
            await run_in_threadpool(keep_picks, upload, picks_in(form), desk.report(identity))
        desk.again(identity)
        return RedirectResponse(f"/drops/{identity}", 303)

    @app.post("/drops/{identity}/more")
    async def more(identity: str, request: Request) -> Response:
        upload = desk.upload_of(identity)
        session = desk.session_of(request)
        try:
            Room(upload.folder).must_hold(int(request.headers["content-length"]))
            async with sealed_form(request, max_files=MOST_FILES, max_fields=10) as form:
                _by_leave(desk, request, str(form.get("token")))
                await run_in_threadpool(_add, upload, form)
                await run_in_threadpool(desk.withdraw, upload)
                if form.getlist("photos"):
                    done(upload.folder)
        except (BadUpload, MultiPartException) as fault:
            words = str(fault) if isinstance(fault, BadUpload) else tell("sent.not_whole")
            page = pages.upload(session, desk.door.token(session), words)
            return Response(page, 400, media_type="text/html; charset=utf-8")
        desk.again(identity)
        return RedirectResponse(f"/drops/{identity}", 303)

    _add_words(app, desk)
    _add_parts(app, desk)


def _add_words(app: FastAPI, desk: Desk) -> None:
    """Routes for HR's word where no list of files is needed, and for the picture that helps to find it."""

    @app.post("/drops/{identity}/two-people")
    async def two(identity: str, request: Request) -> Response:
        upload, report = desk.upload_of(identity), desk.report(identity)
        async with request.form(max_files=0, max_fields=3) as form:
            _by_leave(desk, request, str(form.get("token")))
            first, second = str(form.get("first")), str(form.get("second"))
        if report is None or (first, second) not in {(one.first, one.second) for one in report.alike}:
            raise HTTPException(409 if report is None else 422)
        await run_in_threadpool(keep_two_people, upload, first, second)
        await run_in_threadpool(desk.remember, first, second, desk.session_of(request).by)
        desk.again(identity)
        return RedirectResponse(f"/drops/{identity}", 303)

    @app.post("/drops/{identity}/enough")
    async def enough(identity: str, request: Request) -> Response:
        async with request.form(max_files=0, max_fields=2) as form:
            _by_leave(desk, request, str(form.get("token")))
        done(desk.upload_of(identity).folder)
        desk.again(identity)
        return RedirectResponse(f"/drops/{identity}", 303)

    @app.get("/drops/{identity}/strays/{number}.webp")
    def stray(identity: str, number: int) -> Response:
        report = desk.report(identity)
        picture = thumbnail(desk.upload_of(identity), report, number) if report else None
        if picture is None:
            raise HTTPException(404)
        return Response(picture, media_type="image/webp")


def _add_parts(app: FastAPI, desk: Desk) -> None:
    @app.get("/token")
    def token(request: Request) -> Response:
        """What forms of this session carry, for a page that outlived the session it was opened in."""
        return JSONResponse({"token": desk.door.token(desk.session_of(request))})

    @app.post("/drops/{identity}/begin")
    def start(identity: str, request: Request) -> Response:
        _by_leave(desk, request, request.headers.get("x-rollcall-token"))
        begin(desk.upload_of(identity).folder)
        return JSONResponse({"part": PART_BYTES})

    @app.get("/drops/{identity}/wrapping")
    def wrapping(identity: str, name: str) -> Response:
        """Whether the one folder that was chosen is somebody's: else it only wraps the others."""
        names = people_of(desk.upload_of(identity))
        return JSONResponse({"somebodys": bool(names and names(name))})

    @app.get("/drops/{identity}/parts")
    def how_far(identity: str, name: str, size: int, stamp: str) -> Response:
        return JSONResponse({"have": have(desk.upload_of(identity), Arrival(name, size, stamp))})

    @app.post("/drops/{identity}/parts")
    async def part(identity: str, request: Request, name: str, size: int, stamp: str, at: int) -> Response:
        _by_leave(desk, request, request.headers.get("x-rollcall-token"))
        upload = desk.upload_of(identity)
        if int(request.headers["content-length"]) > PART_BYTES:
            raise HTTPException(413)
        data = await request.body()
        try:
            here = await run_in_threadpool(take_part, upload, Arrival(name, size, stamp), at, data)
        except BadUpload as fault:
            return JSONResponse({"error": str(fault)}, 422)
        return JSONResponse({"have": here}, 200 if here == at + len(data) else 409)

    @app.post("/drops/{identity}/done")
    def finish(identity: str, request: Request) -> Response:
        _by_leave(desk, request, request.headers.get("x-rollcall-token"))
        done(desk.upload_of(identity).folder)
        desk.again(identity)
        return JSONResponse({"address": f"/drops/{identity}"})


def _by_leave(desk: Desk, request: Request, token: str | None) -> None:
    if not desk.door.accepts(desk.session_of(request), token):
        raise HTTPException(403)


def picks_in(form: FormData) -> dict[str, str]:
    """Stray's key → what HR chose; "" for those that stay open. A name typed in full beats the list."""
    keys, chosen, typed = (
        [str(value) for value in form.getlist(name) if isinstance(value, str)] for name in ("key", "who", "other")
    )
    if not len(keys) == len(chosen) == len(typed):
        raise HTTPException(422)
    return {key: other.partition(" · ")[0].strip() or who for key, who, other in zip(keys, chosen, typed, strict=True)}


def keep_picks(upload: Upload, chosen: dict[str, str], report: CheckReport | None) -> None:
    """Keep HR's word with the drop. Only what the last check knows is taken: its strays, and people on its roster."""
    if report is None:
        raise HTTPException(409)
    strays = {stray.key for stray in report.matching.strays}
    allowed = {report.roster.filed_number(row) for row in report.roster.rows} | {NOBODYS, BY_FILE, ""}
    if not chosen.keys() <= strays or not set(chosen.values()) <= allowed:
        raise HTTPException(422)
    answers = read_answers(upload)
    picks = {key: who for key, who in {**answers.picks, **chosen}.items() if who}
    upload.write(FILE, replace(answers, picks=picks).as_json())


def keep_two_people(upload: Upload, first: str, second: str) -> None:
    """HR says that two people whose faces are alike are two: for this drop, whatever the records know of them."""
    answers = read_answers(upload)
    pair = (min(first, second), max(first, second))
    upload.write(FILE, replace(answers, two_people=answers.two_people | {pair}).as_json())


def _add(upload: Upload, form: FormData) -> None:
    for stem in ("roster", "consents"):
        if (table := sent(form.get(stem))) is not None:
            replace_table(upload, stem, table)
    photos = [one for one in map(sent, form.getlist("photos")) if one is not None]
    if photos:
        add_photos(upload, photos)


def sent(value: object) -> Sent | None:
    """A chosen file; None for a field that was left empty."""
    if not isinstance(value, UploadFile) or not value.filename:
        return None
    return Sent(value.filename, value.file)
