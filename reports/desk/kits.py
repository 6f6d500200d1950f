"""The kits' page: every kit as a picture, what is wrong with a broken one, and whose pictures are on an older state."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from reports.desk.batch import run_again
from reports.desk.day import title_of
from reports.desk.page import form_of, show
from reports.kit_pictures import draw_kit, kits_of
from tasks.headshots.kit import kit_digest, sort_kits
from tasks.vault.records import Headshot, Showing
from tasks.vault.store import Vault


def add_kits(app: FastAPI) -> None:
    """The page, the pictures on it, and its one button."""
    settings, vault = app.state.settings, app.state.vault
    drawn: dict[str, bytes] = {}

    @app.get("/kits")
    def kits(request: Request) -> Response:
        states = app.state.states.all(app.state.clock())
        shown = kits_of(settings)
        older = older_pictures(vault, {kit.name: kit.digest for kit in shown if not kit.broken})
        used: dict[str, list[dict[str, object]]] = {}
        for state in states:
            if state.people and not state.archived:
                line = {"id": state.id, "title": title_of(state), "older": older.get((state.kit, state.id), 0)}
                used.setdefault(state.kit, []).append(line)
        gone = sorted(set(used) - {kit.name for kit in shown})
        return show(request, "kits.html", kits=shown, used=used, gone=gone, folder_new="rollcall kit new NAME")

    @app.get("/kits/{name}/{digest}.webp")
    def picture(name: str, digest: str) -> Response:
        kit = sort_kits(settings.kits)[0].get(name)
        if kit is None or kit_digest(kit)[:12] != digest:
            raise HTTPException(404)
        if digest not in drawn:
            drawn[digest] = draw_kit(kit)
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        return Response(drawn[digest], media_type="image/webp", headers=headers)

    @app.post("/kits/{name}/again")
    async def again(name: str, request: Request) -> Response:
        form = await form_of(request)
        batch = form.get("batch", "")
        state = app.state.states.one(batch, app.state.clock())
        if state is None or state.kit != name:
            raise HTTPException(404)
        answer = await run_in_threadpool(run_again, request, batch)
        return answer if answer.status_code != 303 else RedirectResponse(f"/batches/{batch}/home", 303)


def older_pictures(vault: Vault, digests: dict[str, str]) -> dict[tuple[str, str], int]:
    """(kit, batch) to how many people's proposed picture was taken under an older state of the kit."""
    found: dict[tuple[str, str], int] = {}
    joined = select(Headshot.kit, Headshot.kit_digest, Showing.batch_id).join(
        Showing, col(Showing.headshot_digest) == col(Headshot.digest)
    )
    with vault.reading() as session:
        for kit, digest, batch in session.exec(joined.where(Showing.choice == 1, col(Showing.retired).is_(False))):
            if kit in digests and digests[kit] != digest:
                found[kit, batch] = found.get((kit, batch), 0) + 1
    return found
