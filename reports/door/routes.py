"""Who may ask for what at the desk: every route with the role it takes, in one table. What is not in it is refused.

A new route is one more line here, by its method and its path as the application writes it. `KEEPER` is right for most:
whoever runs the day. `TEAM_*` is for routes that themselves leave out people of departments that are not the asker's
(`Session.may(role, department)`); all others are closed to whoever has a role for some departments only.
"""

from dataclasses import dataclass

from fastapi import HTTPException, Request

from reports.door.door import Session
from reports.roles import ROLES, Role, departments_of


@dataclass(frozen=True)
class Need:
    """What a route takes: a role (None: being signed in is enough; or nobody is asked), and for whom."""

    role: Role | None = None
    asks: bool = True  # whether one has to be signed in
    team: bool = False  # whether a role for some departments is enough


ANYBODY = Need(asks=False)
SIGNED_IN = Need()
VIEWER, REVIEWER, KEEPER, ADMIN = (Need(role) for role in ROLES)
TEAM_VIEWER, TEAM_REVIEWER = Need("viewer", team=True), Need("reviewer", team=True)

ROUTES: dict[str, Need] = {
    # the door
    "GET /health": ANYBODY,
    "GET /ready": ANYBODY,  # names of parts, and whether they are well
    "GET /metrics": ANYBODY,  # it asks for a token itself: who watches has no session
    "GET /assets/{name}": ANYBODY,
    "GET /login": ANYBODY,
    "POST /login": ANYBODY,
    "GET /login/start": ANYBODY,
    "GET /login/callback": ANYBODY,
    "GET /login/out": ANYBODY,
    "POST /logout": SIGNED_IN,
    "GET /token": SIGNED_IN,
    # batches and their pages
    "GET /": VIEWER,
    "GET /events": VIEWER,
    "GET /batches/{batch}/home": VIEWER,
    "GET /batches/{batch}/events": VIEWER,
    "POST /batches/{batch}/name": KEEPER,
    "POST /batches/{batch}/kit": KEEPER,
    "GET /batches/{batch}/copy.zip": KEEPER,
    "POST /batches/{batch}/decisions-file": KEEPER,
    "POST /batches/{batch}/archive": KEEPER,
    "POST /batches/{batch}/stop": KEEPER,
    "POST /batches/{batch}/go-on": KEEPER,
    "POST /batches/{batch}/reshoot": KEEPER,
    "POST /batches/{batch}/approve-cost": KEEPER,
    "GET /team": TEAM_VIEWER,
    "GET /batches/{batch}": TEAM_VIEWER,
    "GET /batches/{batch}/decisions": TEAM_VIEWER,
    "POST /batches/{batch}/decisions": TEAM_REVIEWER,
    "GET /batches/{batch}/{path:path}": TEAM_VIEWER,
    # uploads: the whole roster is in them
    "GET /drops": KEEPER,
    "GET /drops/": KEEPER,
    "GET /drops/new": KEEPER,
    "POST /drops": KEEPER,
    "GET /drops/{identity}": KEEPER,
    "POST /drops/{identity}/remove": KEEPER,
    "POST /drops/{identity}/stop": KEEPER,
    "POST /drops/{identity}/again": KEEPER,
    "GET /drops/{identity}/return.csv": KEEPER,
    "POST /drops/{identity}/picks": KEEPER,
    "POST /drops/{identity}/more": KEEPER,
    "POST /drops/{identity}/two-people": KEEPER,
    "POST /drops/{identity}/enough": KEEPER,
    "GET /drops/{identity}/strays/{number}.webp": KEEPER,
    "POST /drops/{identity}/begin": KEEPER,
    "GET /drops/{identity}/parts": KEEPER,
    "POST /drops/{identity}/parts": KEEPER,
    "GET /drops/{identity}/wrapping": KEEPER,
    "POST /drops/{identity}/done": KEEPER,
    "GET /drops/{identity}/run": KEEPER,
    "POST /drops/{identity}/run": KEEPER,
    # how everybody is photographed
    "GET /kits": VIEWER,
    "GET /kits/{name}/{digest}.webp": VIEWER,
    "POST /kits/{name}/again": KEEPER,
    # one person
    "GET /people": KEEPER,
    "GET /people/{person}": KEEPER,
    "GET /people/{person}/events": KEEPER,
    "GET /people/{person}/everything.zip": KEEPER,
    "POST /people/{person}/forget": KEEPER,
    "POST /people/{person}/hold": KEEPER,
    "POST /people/{person}/end-hold": KEEPER,
    "POST /people/{person}/consent": KEEPER,
    "POST /people/{person}/withdraw": KEEPER,
    "POST /people/{person}/kit": KEEPER,
    # what goes when
    "GET /retention": KEEPER,
    "POST /retention/sweep": KEEPER,
    "GET /retention/receipts/{receipt}": KEEPER,
    "GET /retention/receipts/{receipt}/paper.pdf": KEEPER,
    "GET /retention/receipts/{receipt}/signed.json": KEEPER,
    # what only HR can say
    "GET /questions": KEEPER,
    "POST /questions/{question}": KEEPER,
    # what leaves
    "GET /batches/{batch}/deliver": KEEPER,
    "POST /batches/{batch}/deliver": KEEPER,
    "GET /batches/{batch}/deliver/{number}": KEEPER,
    "GET /batches/{batch}/deliver/{number}/headshots.zip": KEEPER,
    # how the service itself stands, and what else only IT may: Prefect, roles, keys
    "GET /service": ADMIN,
    # about nobody
    "GET /verify": VIEWER,
    "POST /verify": VIEWER,
    "GET /consent-form/{language}": VIEWER,
}


def name_of(method: str, path: str) -> str:
    """A route as the table names it."""
    return f"{method} {path}"


def allows(need: Need, session: Session | None) -> bool:
    """Whether whoever is behind this session (None: nobody has signed in) may ask for it."""
    if session is None:
        return not need.asks
    if need.role is None:
        return True
    departments = departments_of(session.grants, need.role)
    return departments is None or (need.team and bool(departments))


def by_role(request: Request) -> None:
    """The dependency of every route: 403 for whose role does not reach, and for what is not in the table."""
    route = request.scope.get("route")
    need = ROUTES.get(name_of(request.method, getattr(route, "path", "")))
    if need is None:
        raise HTTPException(403, headers={"X-Rollcall-Refused": "unlisted"})
    if allows(need, request.state.session):
        return
    if need is VIEWER and request.url.path == "/" and allows(TEAM_VIEWER, request.state.session):
        raise HTTPException(303, headers={"Location": "/team"})
    raise HTTPException(403, headers={"X-Rollcall-Refused": "role"})
