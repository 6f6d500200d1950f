"""The consent form at the desk: HR takes it from here in the language of whom they ask."""

from fastapi import FastAPI, HTTPException, Request, Response

from reports.consent_form import LANGUAGES, consent_form
from reports.desk.login import signed_in
from tasks.retention.rules import rules_or_built_in


def add_consent_form(app: FastAPI) -> None:
    """The form as a file: it is printed or sent, and has to look the same away from the desk."""
    settings = app.state.settings

    @app.get("/consent-form/{language}")
    def form(language: str, request: Request) -> Response:
        signed_in(request)
        if language not in LANGUAGES:
            raise HTTPException(404)
        rules, _ = rules_or_built_in(settings.retention_rules)
        headers = {"Content-Disposition": f'attachment; filename="consent-form-{language}.html"'}
        return Response(consent_form(rules, language), media_type="text/html; charset=utf-8", headers=headers)
