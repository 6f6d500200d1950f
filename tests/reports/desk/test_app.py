"""The desk's door and what lies behind it: nothing without signing in, nothing outside the report, nothing of people
who are gone."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import col, select

from reports.decisions import apply_decisions
from reports.desk import pages
from reports.desk.app import create_desk
from reports.door.door import COOKIE, IDLE, STAY, Door
from reports.door.routes import ROUTES, SIGNED_IN
from reports.site_of_batch import rewrite_report
from tasks.vault.records import AuditEntry, Consent, Decision, Employee, Headshot, SignIn
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tests.reports.conftest import NOON, PASSWORD, digest, small

BATCH = "b20261123a"
PERSON = f"p{1:015x}"
SHOT = digest("headshot", 1, 0)


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = NOON + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stranger(settings: Settings, clock: Clock) -> Iterator[TestClient]:
    app = create_desk(settings, clock=clock)
    with TestClient(app, base_url="http://127.0.0.1:4280", client=("127.0.0.1", 5000)) as client:
        yield client
    app.state.vault.close()


@pytest.fixture
def desk(stranger: TestClient) -> TestClient:
    """Somebody who has signed in."""
    answer = stranger.post("/login", data={"name": "Ada", "password": PASSWORD}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return stranger


def token(desk: TestClient, page: str = f"/batches/{BATCH}/") -> str:
    found = re.search(r'name="(?:rollcall-csrf|token)" (?:content|value)="([0-9a-f]{64})"', desk.get(page).text)
    assert found is not None
    return found[1]


def post(desk: TestClient, given: str, **decision: object) -> int:
    row = {"employee": PERSON, "headshot": SHOT, "verdict": "approve", "at": "2026-09-14T12:30:00.000Z", **decision}
    answer = desk.post(
        f"/batches/{BATCH}/decisions", headers={"X-Rollcall-Token": given}, json={"batch": BATCH, "decisions": [row]}
    )
    return answer.status_code


def test_without_signing_in_everything_leads_to_the_door(stranger: TestClient) -> None:
    for path in ("/", f"/batches/{BATCH}/", f"/batches/{BATCH}/people/{PERSON}.html", "/drops/new", "/nowhere"):
        answer = stranger.get(path, headers={"accept": "text/html"}, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == ("/login" if path == "/" else f"/login?to={quote(path, safe='')}")
        assert stranger.get(path, headers={"accept": "application/json"}).status_code == 401
        assert stranger.post(path).status_code in (401, 411)


def test_the_cookie_is_closed_to_scripts_and_other_sites(stranger: TestClient) -> None:
    answer = stranger.post("/login", data={"name": "Ada", "password": PASSWORD}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_every_answer_carries_the_headers(desk: TestClient) -> None:
    for path in ("/", "/login", f"/batches/{BATCH}/", "/nowhere", "/health"):
        headers = desk.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


def test_a_session_ends_with_the_day_and_with_idleness(settings: Settings, vault: Vault) -> None:
    door = Door(settings, vault)
    cookie = door.let_in("Ada", NOON)
    assert door.session(cookie, NOON + IDLE) is not None
    assert door.session(cookie, NOON + IDLE + timedelta(seconds=1)) is None
    session = door.session(cookie, NOON)
    assert session is not None
    door.renew(session, NOON + STAY)
    assert door.session(cookie, NOON + STAY) is not None
    assert door.session(cookie, NOON + STAY + timedelta(seconds=1)) is None, "renewing does not lengthen the day"


def test_a_session_survives_a_restart_and_ends_with_the_password_that_let_it_in(
    settings: Settings, vault: Vault
) -> None:
    cookie = Door(settings, vault).let_in("Ada", NOON)
    found = Door(settings, vault).session(cookie, NOON)
    assert found is not None
    assert found.by == "Ada"
    for other in ({"desk_password": "another"}, {"desk_password": None}, {"oidc_issuer": "https://id.example"}):
        assert Door(settings.model_copy(update=other), vault).session(cookie, NOON) is None
    Door(settings, vault).leave(found)
    assert Door(settings, vault).session(cookie, NOON) is None


def test_what_lies_in_the_records_signs_nobody_in(settings: Settings, vault: Vault) -> None:
    door = Door(settings, vault)
    cookie = door.let_in("Ada", NOON)
    with vault.reading() as records:
        [row] = records.exec(select(SignIn)).all()
    assert cookie not in str(row)
    for wrong in (None, "", "x", row.token, cookie[:-1], cookie + "é"):
        assert door.session(wrong, NOON) is None


def test_sessions_that_are_over_leave_the_records(settings: Settings, vault: Vault) -> None:
    door = Door(settings, vault)
    door.let_in("Ada", NOON)
    door.let_in("Eve", NOON + IDLE + timedelta(seconds=1))
    with vault.reading() as records:
        assert len(records.exec(select(SignIn)).all()) == 1


def test_the_password_is_not_kept(settings: Settings, vault: Vault) -> None:
    assert "hunter2" not in repr(vars(Door(settings.model_copy(update={"desk_password": "hunter2"}), vault)))


def test_signing_out_ends_the_session_and_its_copies(desk: TestClient) -> None:
    cookie = desk.cookies[COOKIE]
    assert desk.post("/logout", data={"token": "wrong"}).status_code == 403
    desk.post("/logout", data={"token": token(desk, "/")})
    desk.cookies.set(COOKIE, cookie)
    assert desk.get("/", headers={"accept": "application/json"}).status_code == 401


def test_batches_and_pages_are_served(desk: TestClient) -> None:
    assert f"/batches/{BATCH}/" in desk.get("/").text
    wall = desk.get(f"/batches/{BATCH}/")
    assert "Team wall" in wall.text
    assert f'content="/batches/{BATCH}/decisions"' in wall.text
    for link in set(re.findall(r'(?:href|src)="((?:\.\./)?assets/[^"]+)"', wall.text)):
        assert desk.get(f"/batches/{BATCH}/{link}").status_code == 200
    page = desk.get(f"/batches/{BATCH}/people/{PERSON}.html").text
    pictures = re.findall(r'src="\.\./(people/[^"]+\.webp)"', page)
    assert pictures
    assert desk.get(f"/batches/{BATCH}/{pictures[0]}").headers["content-type"] == "image/webp"


OUTSIDE = [
    "people/", "people", "assets/", ".gitignore", "..%2f..%2frollcall.db", "people/%2e%2e/index.html",
    "%2fetc%2fpasswd", "people/..%5c..%5cx.html", "index.html%00", "people/p1/../../index.html%2f",
    f"people/{PERSON}/", "decisions.html",
]  # fmt: skip


def test_every_page_of_a_report_leads_back_and_out_and_says_who_is_here(desk: TestClient, settings: Settings) -> None:
    """One was stuck in a batch: the sign at the top led to the wall itself, and nothing said who had signed in."""
    for path in ("", "blocked.html", "run.html", "print.html", f"people/{PERSON}.html"):
        page = desk.get(f"/batches/{BATCH}/{path}").text
        assert '<a class="home" href="/">' in page
        assert '<form method="post" action="/logout"' in page
        assert re.search(r'<span class="soft signed"[^>]*>Ada</span>', page)
        assert "<!--desk" not in page
    lying = (settings.reports / BATCH / "index.html").read_text(encoding="utf-8")
    assert "/logout" not in lying  # from a folder there is nowhere to sign out of
    given = token(desk)
    answer = desk.post("/logout", data={"token": given}, follow_redirects=False)
    assert answer.headers["location"] == "/login"
    assert desk.get("/", headers={"accept": "application/json"}).status_code == 401


def test_a_signed_name_is_text_on_report_pages_too(stranger: TestClient) -> None:
    name = '"><script>alert(1)</script>'
    stranger.post("/login", data={"name": name, "password": PASSWORD})
    page = stranger.get(f"/batches/{BATCH}/").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_there_is_no_listing_and_no_way_out(desk: TestClient) -> None:
    for path in OUTSIDE:
        assert desk.get(f"/batches/{BATCH}/{path}").status_code == 404, path
    for batch in ("bnone", "..", "%2e%2e", "b20261123A"):
        assert desk.get(f"/batches/{batch}/index.html").status_code == 404, batch


def test_a_link_in_the_report_is_not_followed(desk: TestClient, settings: Settings) -> None:
    desk.get(f"/batches/{BATCH}/")
    place = settings.reports / BATCH / "people" / PERSON / "h-0-1x1.webp"
    place.symlink_to(settings.home / "rollcall.db")
    assert desk.get(f"/batches/{BATCH}/people/{PERSON}/h-0-1x1.webp").status_code == 404


def test_a_decision_arrives_with_who_and_when(desk: TestClient, settings: Settings) -> None:
    given = token(desk)
    assert post(desk, given) == 200
    with open_vault(settings) as vault, vault.reading() as session:
        row = session.exec(select(Decision).where(col(Decision.employee_id) == PERSON)).one()
        shot = session.get(Headshot, SHOT)
    assert (row.by, row.verdict, row.at.isoformat()) == ("Ada", "approve", "2026-09-14T12:30:00+00:00")
    assert shot is not None
    assert shot.state == "approved"
    listed = desk.get(f"/batches/{BATCH}/decisions").json()["decisions"]
    sent = {"employee": PERSON, "headshot": SHOT, "verdict": "approve", "note": "", "at": "2026-09-14T12:30:00.000Z"}
    (mine,) = [one for one in listed if one["employee"] == PERSON]
    assert mine.items() >= sent.items()
    assert (mine["by"], mine["batch"], mine["counts"]) == ("Ada", BATCH, True)


def test_decisions_need_the_sessions_token_and_this_site(desk: TestClient) -> None:
    given = token(desk)
    assert post(desk, "") == 403
    assert post(desk, "0" * 64) == 403
    desk.headers["origin"] = "http://elsewhere.example"
    assert post(desk, given) == 403
    desk.headers["origin"] = "http://127.0.0.1:4280"
    desk.headers["sec-fetch-site"] = "cross-site"
    assert post(desk, given) == 403
    desk.headers["sec-fetch-site"] = "same-origin"
    assert post(desk, given) == 200


def test_what_is_no_decision_is_refused(desk: TestClient) -> None:
    headers = {"X-Rollcall-Token": token(desk), "Content-Type": "application/json"}
    for body in (b"", b"[]", b"{", b'{"batch": "other", "decisions": []}', b"[" * 100_000):
        assert desk.post(f"/batches/{BATCH}/decisions", headers=headers, content=body).status_code == 422


def erase(settings: Settings) -> None:
    with open_vault(settings) as vault, vault.session() as session:
        employee = session.get(Employee, PERSON)
        assert employee is not None
        employee.state = "erased"
        session.add(employee)


def test_a_forgotten_persons_pages_are_gone_even_before_they_are_deleted(desk: TestClient, settings: Settings) -> None:
    page = desk.get(f"/batches/{BATCH}/people/{PERSON}.html").text
    picture = re.findall(r'src="\.\./(people/[^"]+\.webp)"', page)[0]
    name = small().people[1].name
    assert name in desk.get(f"/batches/{BATCH}/print.html").text
    erase(settings)
    assert desk.get(f"/batches/{BATCH}/people/{PERSON}.html").status_code == 410
    assert desk.get(f"/batches/{BATCH}/{picture}").status_code == 410
    for path in ("", "print.html", "run.html", "blocked.html"):
        text = desk.get(f"/batches/{BATCH}/{path}").text
        assert name not in text
        assert PERSON not in text
    assert PERSON not in json.dumps(desk.get(f"/batches/{BATCH}/decisions").json())


def test_a_large_walls_pieces_are_served_and_speak_of_nobody_who_is_gone(
    desk: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.site.PIECE", 4)
    with open_vault(settings) as vault:
        rewrite_report(vault, BATCH, now=NOON)

    def pieces() -> list[str]:
        return re.findall(r'src="(wall/[^"]+)"', desk.get(f"/batches/{BATCH}/").text)

    before = pieces()
    assert len(before) > 1
    said = [desk.get(f"/batches/{BATCH}/{piece}") for piece in before]
    assert {one.headers["content-type"] for one in said} == {"text/javascript; charset=utf-8"}
    assert {one.headers["cache-control"] for one in said} == {"no-store"}
    theirs = [piece for piece, one in zip(before, said, strict=True) if PERSON in one.text]
    assert len(theirs) == 1
    assert desk.get(f"/batches/{BATCH}/wall/../index.html").status_code == 200, "which is the page itself"
    assert desk.get(f"/batches/{BATCH}/wall/0.js").status_code == 404
    erase(settings)
    assert desk.get(f"/batches/{BATCH}/{theirs[0]}").status_code == 410
    after = pieces()
    assert theirs[0] not in after, "the page was written anew, since one of its pieces spoke of them"
    assert not any(PERSON in desk.get(f"/batches/{BATCH}/{piece}").text for piece in after)


def test_withdrawn_consent_closes_a_persons_pages(desk: TestClient, settings: Settings) -> None:
    assert desk.get(f"/batches/{BATCH}/people/{PERSON}.html").status_code == 200
    with open_vault(settings) as vault, vault.session() as session:
        consent = session.exec(select(Consent).where(col(Consent.employee_id) == PERSON)).one()
        consent.withdrawn_at = NOON
        session.add(consent)
    assert desk.get(f"/batches/{BATCH}/people/{PERSON}.html").status_code == 410
    blocked = f"p{5:015x}"  # never consented: their page says what to do
    assert desk.get(f"/batches/{BATCH}/people/{blocked}.html").status_code == 200


def test_errors_are_pages_for_people(desk: TestClient, settings: Settings) -> None:
    erase(settings)
    answer = desk.get(f"/batches/{BATCH}/people/{PERSON}.html", headers={"accept": "text/html"})
    assert "This is gone" in answer.text
    for status in (409, 422):  # what another tab, or a colleague, has answered meanwhile
        assert "has changed meanwhile" in pages.fault(status)


def test_a_defect_of_ours_is_a_page_for_people_too_behind_the_same_headers(desk: TestClient) -> None:
    @cast(FastAPI, desk.app).get("/health/broken")
    def broken() -> None:
        raise ZeroDivisionError

    ROUTES["GET /health/broken"] = SIGNED_IN
    try:
        careful = TestClient(desk.app, cookies=desk.cookies, base_url=desk.base_url, raise_server_exceptions=False)
        answer = careful.get("/health/broken", headers={"accept": "text/html"})
    finally:
        del ROUTES["GET /health/broken"]
    assert (answer.status_code, "That did not work" in answer.text) == (500, True)
    assert answer.headers["x-frame-options"] == "DENY"


def test_without_a_password_only_this_machine_is_answered(settings: Settings, clock: Clock) -> None:
    app = create_desk(settings.model_copy(update={"desk_password": None}), clock=clock)
    here = TestClient(app, base_url="http://localhost:4280", client=("127.0.0.1", 5000))
    assert here.post("/login", data={"name": "Ada"}, follow_redirects=False).status_code == 303
    assert here.get("/").status_code == 200
    colleague = TestClient(app, base_url="http://localhost:4280", client=("10.0.0.7", 5000))
    assert colleague.get("/login").status_code == 403
    rebound = TestClient(app, base_url="http://evil.example", client=("127.0.0.1", 5000))
    assert rebound.get("/login").status_code == 403
    app.state.vault.close()


def test_a_name_is_text_wherever_it_is_shown(stranger: TestClient) -> None:
    stranger.post("/login", data={"name": "<img src=x>", "password": PASSWORD})
    assert "&lt;img src=x&gt;" in stranger.get("/").text


def test_a_file_and_the_desk_come_to_the_same(vault: Vault) -> None:
    row = {"employee": PERSON, "headshot": SHOT, "verdict": "approve", "at": "2026-09-14T12:30:00.000Z"}
    assert apply_decisions(vault, {"batch": BATCH, "decisions": [row]}, "Ada", NOON + timedelta(hours=1)).recorded == 1
    again = apply_decisions(vault, {"batch": BATCH, "decisions": [row]}, "Grace", NOON + timedelta(hours=2))
    assert (again.recorded, again.repeated) == (0, 1)


def test_that_the_forgetting_is_late_is_the_first_thing_said(
    desk: TestClient, settings: Settings, clock: Clock
) -> None:
    with open_vault(settings) as vault:
        vault.audit("consent_given", "p1", actor="test", now=clock.now - timedelta(hours=27))
        assert "Forgetting is late" in desk.get("/").text
        vault.audit("sweep", "", actor="test", now=clock.now - timedelta(hours=1))
    assert "Forgetting is late" not in desk.get("/").text


def test_whoever_looks_every_second_is_told_only_of_what_is_new(desk: TestClient) -> None:
    address = f"/batches/{BATCH}/decisions"
    first = desk.get(address)
    mark = {"If-None-Match": first.headers["etag"]}
    same = desk.get(address, headers=mark)
    assert (same.status_code, same.content) == (304, b"")
    assert post(desk, token(desk)) == 200
    changed = desk.get(address, headers=mark)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
    assert len(changed.json()["decisions"]) == len(first.json()["decisions"]) + 1


def test_a_page_that_is_left_open_keeps_nobody_signed_in(desk: TestClient, clock: Clock) -> None:
    address = f"/batches/{BATCH}/decisions"
    for _ in range(5):
        clock.now += IDLE / 4
        status = desk.get(address, headers={"X-Rollcall-Look": "yes", "accept": "application/json"}).status_code
    assert status == 401, "looking by the clock is no sign of life"
    desk.post("/login", data={"name": "Ada", "password": PASSWORD})
    for _ in range(5):
        clock.now += IDLE / 4
        status = desk.get(address, headers={"accept": "application/json"}).status_code
    assert status == 200


def test_a_thousand_decisions_at_once_are_a_thousand_decisions(desk: TestClient, settings: Settings) -> None:
    """One press approves many: each is an event of its own, with its own entry in the log, and can be undone alone."""
    given, people = token(desk), [n for n in (0, 1, 3, 4) if n < 9]
    rows = [
        {"employee": f"p{n:015x}", "headshot": digest("headshot", n, 0), "verdict": verdict, "sees": "",
         "at": f"2026-09-14T12:30:0{place}.{n:03d}Z"}
        for place, verdict in enumerate(("approve", "undo")) for n in (people if verdict == "approve" else people[:1])
    ]  # fmt: skip
    sent = {"headers": {"X-Rollcall-Token": given}, "json": {"batch": BATCH, "decisions": rows}}
    assert desk.post(f"/batches/{BATCH}/decisions", **sent).json() == {"recorded": 5, "repeated": 0, "refused": []}
    assert desk.post(f"/batches/{BATCH}/decisions", **sent).json()["repeated"] == 5, "a double click adds nothing"
    with open_vault(settings) as vault, vault.reading() as records:
        states = dict(records.exec(select(Headshot.employee_id, Headshot.state).where(col(Headshot.shot) == 0)).all())
        assert len(records.exec(select(AuditEntry).where(col(AuditEntry.action) == "decide")).all()) == 5
    assert [states[f"p{n:015x}"] for n in people] == ["candidate", "approved", "approved", "approved"]
