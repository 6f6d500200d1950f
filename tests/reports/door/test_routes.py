"""Who may ask for what: every route of the application with every role, made from the application's own list."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlmodel import col, select

from reports.desk.app import create_desk
from reports.door.door import COOKIE, Door
from reports.door.routes import ANYBODY, KEEPER, ROUTES, VIEWER, Need, allows, name_of
from reports.roles import ROLES, BadRoles, Grant, Roles, departments_of
from tasks.vault.looks import looks_at
from tasks.vault.records import AuditEntry, Decision, Employee, Reviewer
from tasks.vault.settings import Settings
from tasks.vault.sign_ins import Newcomer
from tasks.vault.store import Vault
from tests.reports.conftest import NOON, digest
from tests.reports.prefect_stand_in import Prefect

BATCH = "b20261123a"
ONE, OTHER = f"p{1:015x}", f"p{0:015x}"  # of two departments, both with pictures
ROLES_FILE = """
[[grant]]
role = "viewer"
groups = ["look"]

[[grant]]
role = "reviewer"
groups = ["review"]

[[grant]]
role = "reviewer"
groups = ["review-engineering"]
departments = [" engineering"]

[[grant]]
role = "keeper"
people = ["Kim@corp.example"]

[[grant]]
role = "admin"
groups = ["it"]
"""
WHO = {
    "nobody": ("unknown",), "viewer": ("look",), "reviewer": ("review",), "team reviewer": ("review-engineering",),
    "keeper": (), "admin": ("it",),
}  # fmt: skip
UNLISTED = (
    "{} is in no line of ROUTES in reports/door/routes.py, so everybody is refused. Add one line there: its method and "
    "path, and the least role that it takes (KEEPER, unless you know better)."
)


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "roles.toml").write_text(ROLES_FILE)
    return settings.model_copy(
        update={"oidc_issuer": "https://id.example", "oidc_client_id": "desk", "roles": tmp_path / "roles.toml"}
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[FastAPI]:
    made = create_desk(settings, clock=lambda: NOON + timedelta(hours=1))
    made.state.stream_for = 0.0  # pages that renew themselves are asked once
    yield made
    made.state.vault.close()


As = Callable[[str], TestClient]


@pytest.fixture
def signed(app: FastAPI) -> As:
    """A client of somebody in these groups, as the provider's answer would let them in."""
    door: Door = app.state.door

    def client(role: str) -> TestClient:
        email = "kim@corp.example" if role == "keeper" else f"{role.replace(' ', '.')}@corp.example"
        who = Newcomer(f"https://id.example {role}", role.title(), "provider", email, WHO[role])
        cookie = door.welcome(who, NOON + timedelta(hours=1))
        made = TestClient(app, base_url="http://desk.example", follow_redirects=False, raise_server_exceptions=False)
        made.cookies.set(COOKIE, cookie)
        return made

    return client


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every (method, path) that the application answers to."""
    found = []
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} goes round the roles: add routes by app.get and app.post only"
        found += [(method, route.path) for method in sorted(route.methods)]
    return found


def ask(client: TestClient, method: str, path: str) -> tuple[int, str]:
    """The answer to a call of this route, with something in the place of each parameter: (status, by what refused)."""
    given = {"batch": BATCH, "path:path": "index.html", "identity": "20260914-abc", "language": "en", "number": "0"}
    address = re.sub(r"\{([^}]+)\}", lambda found: given.get(found[1], "x"), path)
    answer = client.request(method, address, headers={"accept": "application/json"}, content=b"")
    return answer.status_code, answer.headers.get("x-rollcall-refused", "")


def test_every_route_has_its_line_and_every_line_its_route(app: FastAPI) -> None:
    there = {name_of(method, path) for method, path in routes(app)}
    for name in sorted(there):
        assert name in ROUTES, UNLISTED.format(name)
    assert set(ROUTES) - there == set(), "a line in reports/door/routes.py is about no route"


@pytest.mark.parametrize("role", WHO)
def test_every_route_refuses_every_role_that_does_not_reach(app: FastAPI, signed: As, role: str) -> None:
    client = signed(role)
    session = app.state.door.session(client.cookies[COOKIE], NOON + timedelta(hours=1))
    refused = 0
    for method, path in routes(app):
        need = ROUTES[name_of(method, path)]
        if path == "/logout":
            continue
        status, by = ask(client, method, path)
        if allows(need, session):
            assert by == "", f"{role} may {method} {path}"
        elif (role, path) == ("team reviewer", "/"):
            assert status == 303, "they have a first page of their own"
        else:
            assert (status, by) == (403, "role"), f"{role} must not {method} {path}"
            refused += 1
    assert refused or role in {"keeper", "admin"}


def test_without_signing_in_every_route_leads_to_the_door(app: FastAPI) -> None:
    stranger = TestClient(app, base_url="http://desk.example", follow_redirects=False)
    for method, path in routes(app):
        if ROUTES[name_of(method, path)] is not ANYBODY:
            assert ask(stranger, method, path)[0] == 401, f"{method} {path}"


def test_a_route_in_no_line_is_refused_to_an_admin(app: FastAPI, signed: As) -> None:
    app.get("/forgotten-line")(lambda: {"secret": True})
    assert ask(signed("admin"), "GET", "/forgotten-line") == (403, "unlisted")


def test_the_table_gives_no_act_to_who_only_looks() -> None:
    """Against the table itself: what writes takes a reviewer at least, but for the door and for what keeps nothing."""
    harmless = {"POST /login", "POST /logout", "POST /verify"}
    for name, need in ROUTES.items():
        if name.startswith("POST ") and name not in harmless:
            assert need.role is not None, name
            assert ROLES.index(need.role) >= ROLES.index("reviewer"), name
        if "drops" in name or "questions" in name or "forget" in name:
            assert not need.team, name
            assert ROLES.index(need.role or "viewer") >= ROLES.index("keeper"), name


def table() -> str:
    """What docs/roles.md says each role may, beside what those above it may: made from the routes."""
    rows = ["| role | looks at | does |", "|---|---|---|"]
    for role in ROLES:
        mine = [name.split(" ", 1) for name, need in ROUTES.items() if need.role == role]
        looks, does = ([f"`{path}`" for method, path in mine if method == wanted] for wanted in ("GET", "POST"))
        rows.append(f"| {role} | {' '.join(looks)} | {' '.join(does)} |")
    return "\n".join(rows)


def test_the_table_of_roles_in_the_documents_is_the_applications_own() -> None:
    said = (Path(__file__).parents[3] / "docs" / "roles.md").read_text(encoding="utf-8")
    assert table() in said, f"put this into docs/roles.md:\n{table()}"


def test_prefect_is_its_alone(app: FastAPI, signed: As) -> None:
    """Whoever starts forgetting, holds and sweeps has no address of Prefect on any page; whoever may see Prefect, the
    doctor's answers and the roles is IT."""
    prefect = Prefect(NOON)
    prefect.run("RUNNING", batch=BATCH)
    prefect.bar = 12.0
    state = app.state
    state.runs.settings = state.settings.model_copy(update={"machine_login": "rollcall:" + "x" * 22})
    state.runs.transport, state.runs.clock = httpx.MockTransport(prefect.answer), count(step=10).__next__
    address, seen = state.settings.prefect_ui_url, {}
    for role in ("viewer", "reviewer", "keeper", "admin"):
        client = signed(role)
        pages = [path for method, path in routes(app) if method == "GET" and path not in ("/ready", "/metrics")]
        texts = [client.get(re.sub(r"\{batch\}", BATCH, path)).text for path in pages if path.count("{") <= 1]
        seen[role] = sum(address in text for text in texts)
        assert (client.get("/service").status_code == 200) == (role == "admin")
        assert ('href="/service"' in client.get("/").text) == (role == "admin")
    assert seen.pop("admin") >= 2, "the batch's page and IT's own"
    assert set(seen.values()) == {0}
    page = signed("admin").get("/service").text
    assert "fingerprint" in page
    assert "review-engineering" in page
    assert "kim@corp.example" in page.lower()


def test_only_an_admin_lets_a_sweep_through_that_concerns_many(
    app: FastAPI, signed: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keeper starts a sweep, and forgets and holds by name; the limit that stops a sweep is not theirs to lift."""
    from reports.desk import retention

    found = retention.forecast

    def stops(*given: Any) -> Any:
        return replace(found(*given), because="it would concern many", stops_for=7)

    monkeypatch.setattr(retention, "forecast", stops)
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(app.state.runs, "start", lambda what, asked, press, now: started.append(asked) or "run")
    for role, status, number in (("keeper", 409, []), ("admin", 303, [7])):
        client = signed(role)
        session = app.state.door.session(client.cookies[COOKIE], NOON + timedelta(hours=1))
        form = {"token": app.state.door.token(session), "people": "7"}
        answer = client.post("/retention/sweep", data=form)
        assert answer.status_code == status
        assert [asked["mass_deletion"] for asked in started] == number
        assert ('name="people"' in client.get("/retention").text) == (role == "admin")


def test_a_sub_team_sees_its_own_people_and_nobody_else(signed: As, vault: Vault) -> None:
    client, everybody = signed("team reviewer"), signed("viewer")
    with vault.reading() as records:
        people = records.exec(select(Employee)).all()
    assert client.get("/").headers["location"] == "/team"
    assert f"/batches/{BATCH}/" in client.get("/team").text
    for page in ("", "blocked.html", "run.html", "print.html"):
        whole, small = (who.get(f"/batches/{BATCH}/{page}").text for who in (everybody, client))
        for person in people:
            if person.department != "Engineering":
                for word in (person.id, person.name, person.email):
                    assert word not in small, f"{word} on {page}"
            elif page == "":
                assert person.name in small
                assert person.name in whole
    for person in people:
        status = client.get(f"/batches/{BATCH}/people/{person.id}.html").status_code
        assert status == (200 if person.department == "Engineering" else 403)
    picture = next(iter(re.findall(rf"people/{OTHER}/t-[^\"]+webp", everybody.get(f"/batches/{BATCH}/").text)))
    assert everybody.get(f"/batches/{BATCH}/{picture}").status_code == 200
    assert client.get(f"/batches/{BATCH}/{picture}").status_code == 403


def test_a_sub_team_gets_no_piece_of_the_whole_companys_wall(
    app: FastAPI, signed: As, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.site.PIECE", 4)
    app.state.writing.written(BATCH, 60)
    pieces = re.findall(r'src="(wall/[^"]+)"', signed("viewer").get(f"/batches/{BATCH}/").text)
    assert len(pieces) > 1
    small = signed("team reviewer")
    assert "wall/" not in small.get(f"/batches/{BATCH}/").text, "their page holds their people itself"
    for piece in pieces:
        assert signed("viewer").get(f"/batches/{BATCH}/{piece}").status_code == 200
        assert small.get(f"/batches/{BATCH}/{piece}").status_code == 404


def decide(client: TestClient, door: Door, number: int, at: int) -> dict[str, object]:
    session = door.session(client.cookies[COOKIE], NOON + timedelta(hours=1))
    assert session is not None
    row = {
        "employee": f"p{number:015x}", "headshot": digest("headshot", number, 0), "verdict": "approve",
        "at": f"2026-09-14T12:{at}:00.000Z",
    }  # fmt: skip
    answer = client.post(
        f"/batches/{BATCH}/decisions", headers={"X-Rollcall-Token": door.token(session)},
        json={"batch": BATCH, "decisions": [row]},
    )  # fmt: skip
    return {"status": answer.status_code, **answer.json()}


def test_a_sub_team_decides_about_its_own_people_only(app: FastAPI, signed: As, vault: Vault) -> None:
    client = signed("team reviewer")
    assert decide(client, app.state.door, 1, 30)["recorded"] == 1
    assert decide(client, app.state.door, 0, 31)["refused"] == [{"place": 0, "code": "not_yours"}]
    assert decide(signed("viewer"), app.state.door, 0, 32)["status"] == 403
    decide(signed("reviewer"), app.state.door, 0, 33)
    seen = client.get(f"/batches/{BATCH}/decisions").json()["decisions"]
    assert ONE in {one["employee"] for one in seen}
    assert OTHER not in {one["employee"] for one in seen}
    with vault.reading() as records:
        assert len(records.exec(select(Decision).where(col(Decision.employee_id) == OTHER)).all()) == 1


def test_every_decision_and_every_look_carries_who_was_signed_in(app: FastAPI, signed: As, vault: Vault) -> None:
    client, colleague = signed("reviewer"), signed("keeper")
    decide(client, app.state.door, 1, 30)
    for _ in range(2):
        client.get(f"/batches/{BATCH}/people/{ONE}.html")
    colleague.get(f"/batches/{BATCH}/people/{ONE}.html")
    with vault.reading() as records:
        reviewer = records.exec(select(Reviewer).where(col(Reviewer.name) == "Reviewer")).one()
        made = records.exec(select(Decision).where(col(Decision.author) == reviewer.id)).one()
        entry = records.exec(select(AuditEntry).where(col(AuditEntry.action) == "decide")).one()
        looks = records.exec(select(AuditEntry).where(col(AuditEntry.action) == "look")).all()
    assert (made.by, entry.actor) == ("Reviewer", reviewer.id)
    assert all("Reviewer" not in one.model_dump_json() for one in (entry, *looks)), "the log holds ids, never names"
    assert looks_at(vault, ONE) == [("Reviewer", 2), ("Keeper", 1)]
    assert looks_at(vault, OTHER) == []


def test_two_people_of_one_name_are_told_apart(app: FastAPI, vault: Vault) -> None:
    door: Door = app.state.door
    names = []
    for key in ("a", "b", "a"):
        cookie = door.welcome(Newcomer(key, "Ada Brandt", "provider", f"{key}@corp.example", ("look",)), NOON)
        session = door.session(cookie, NOON)
        assert session is not None
        names.append((session.by, session.author))
    assert names[1][0] == "Ada Brandt (b@corp.example)"
    assert names[0][1] == names[2][1] != names[1][1]


def test_who_is_taken_out_of_the_file_may_nothing_more_and_a_broken_file_changes_nothing(
    app: FastAPI, signed: As, settings: Settings
) -> None:
    client = signed("admin")
    assert settings.roles is not None
    assert client.get("/").status_code == 200
    settings.roles.write_text(ROLES_FILE + "[[grant]]\nrole = 'king'\n")
    assert client.get("/").status_code == 200
    settings.roles.write_text(ROLES_FILE.replace('"it"', '"somebody-else"'))
    assert client.get("/").status_code == 403
    assert "have no role here" in client.get("/", headers={"accept": "text/html"}).text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[grant]]\nrole = 'king'", "grant.0.role"),
        ("[[grant]]\nrole = 'viewer'\ndepartments = []", "grant.0.departments"),
        ("[[grant]]\nrole = 'viewer'\ngroup = 'x'", "grant.0.group"),
        ("", "grant"),
        ("[[grant", "roles.toml"),
    ],
)
def test_a_file_of_roles_that_cannot_be_used_says_where(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "roles.toml").write_text(text)
    with pytest.raises(BadRoles, match=says):
        Roles(tmp_path / "roles.toml")
    with pytest.raises(BadRoles, match="ROLLCALL_ROLES"):
        Roles(tmp_path / "none.toml")


def test_roles_add_up() -> None:
    sales, all_of_them = frozenset({"sales"}), None
    mixed = (Grant("viewer", all_of_them), Grant("keeper", sales))
    assert departments_of(mixed, "viewer") is None
    assert departments_of(mixed, "reviewer") == sales
    assert departments_of(mixed, "admin") == frozenset()
    assert departments_of((), "viewer") == frozenset()
    assert not allows(KEEPER, None)
    assert Need("viewer", team=True) != VIEWER
