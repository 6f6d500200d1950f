"""For IT alone: whether all of Rollcall is there, the way to Prefect, who has which role, and the keys' fingerprint.

HR's pages stay free of it. Nothing personal is here but what the company itself wrote into its file of roles.
"""

from fastapi import FastAPI, Request, Response

from reports.desk.page import show
from reports.readiness import is_ready


def add_service(app: FastAPI) -> None:
    """The page; it asks every part anew, or shows what was answered a few seconds ago."""

    @app.get("/service")
    def service(request: Request) -> Response:
        state = request.app.state
        parts = state.looked.parts()
        return show(
            request, "service.html", parts=parts, ready=is_ready(parts), prefect=state.settings.prefect_ui_url,
            grants=state.door.roles.lines() if state.door.roles is not None else [],
            by_provider=state.door.asks_provider,
        )  # fmt: skip
