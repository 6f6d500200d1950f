"""A company that never was, as report data: drawn faces, every state, every kind of problem, hostile names."""

# ruff: noqa: E501  (a company as a table: one person, one line)
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from reports.data import AdapterRow, BatchRow, DecisionRow, FindingRow, HeadshotRow, PersonRow, ReportData, SelfieRow
from reports.site_of_batch import rewrite_report
from tasks.vault.records import Batch, Consent, Decision, Employee, Headshot, Seat, Selfie, Showing, new_id
from tasks.vault.review import DecisionEvent, Picture, review_of
from tasks.vault.scores import Scores
from tasks.vault.settings import Settings
from tasks.vault.store import Vault, open_vault
from tests.reports.browsing import PASSWORD, served
from tests.reports.prefect_stand_in import Prefect

NOON = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)  # in the past: browsers compare it with their own clock
FIRST = "Amara Noah Elif Jonas Mei Tomás Priya Lukas Zainab Oskar Lena Kwame Ingrid Ravi Sofía Émile Hana Piotr Aoife Dmitri"
LAST = (
    "Okafor Brandt Yılmaz Lindqvist Chen Núñez Raghavan Vogel Hassan Kowalski Moreau Mensah Dahl Iyer Rossi Petit Sato"
)
TITLES = (
    "Account Executive",
    "Software Engineer",
    "Product Designer",
    "Head of People",
    "Data Analyst",
    "Field Technician",
)
DEPARTMENTS = ("Sales", "Engineering", "Design", "People", "Operations")
HOSTILE = ("<script>alert(1)</script>", "=cmd|'/c calc'!A0", '\u202eEvil "quoted" name', "A" * 200)


@cache
def face(seed: int, *, selfie: bool = False, size: tuple[int, int] = (240, 300)) -> bytes:
    """A flat drawn head and shoulders, as JPEG bytes: enough of a person to judge a page by."""
    rng = np.random.default_rng(seed)
    tone = np.array([(244, 214, 190), (226, 180, 146), (196, 140, 104), (146, 96, 66), (98, 62, 44)])[rng.integers(5)]
    hair = np.array([(30, 24, 22), (72, 46, 30), (140, 96, 52), (196, 160, 100), (120, 118, 116)])[rng.integers(5)]
    clothes = [(32, 44, 82), (60, 62, 70), (236, 236, 232), (38, 80, 74), (96, 36, 46)][int(rng.integers(5))]
    w, h = size
    back = (
        tuple(int(v) for v in np.random.default_rng(seed * 7 + 1).integers(90, 200, 3)) if selfie else (206, 214, 224)
    )
    picture = Image.new("RGB", (w * 2, h * 2), back)
    pen = ImageDraw.Draw(picture)
    cx, top, wide = (
        w + (int(rng.integers(-60, 60)) if selfie else 0),
        int(h * 0.42),
        int(w * 0.42 + rng.integers(-14, 14)),
    )
    skin, dark = tuple(int(v) for v in tone), tuple(int(v * 0.82) for v in tone)
    brown = tuple(int(v) for v in hair)
    pen.rounded_rectangle((cx - w * 0.78, h * 1.52, cx + w * 0.78, h * 2.4), radius=int(w * 0.34), fill=clothes)
    pen.rectangle((cx - wide * 0.42, h * 1.2, cx + wide * 0.42, h * 1.58), fill=dark)
    long = int(rng.integers(0, 3)) * h * 0.22
    pen.rounded_rectangle(
        (cx - wide * 1.14, top - h * 0.1, cx + wide * 1.14, h * 1.05 + long), radius=int(wide), fill=brown
    )
    pen.ellipse((cx - wide, top, cx + wide, h * 1.38), fill=skin)
    pen.pieslice((cx - wide * 1.08, top - h * 0.1, cx + wide * 1.08, h * 0.95), 182, 358, fill=brown)
    for side in (-1, 1):
        x, y = cx + side * wide * 0.42, h * 0.92
        pen.ellipse((x - 26, y - 13, x + 26, y + 13), fill=(250, 250, 248))
        pen.ellipse((x - 12, y - 12, x + 12, y + 12), fill=(60, 44, 36))
        pen.rounded_rectangle((x - 40, y - 46, x + 40, y - 36), radius=5, fill=brown)
    pen.polygon([(cx, h * 0.94), (cx - 22, h * 1.1), (cx + 22, h * 1.1)], fill=dark)
    pen.arc((cx - 56, h * 1.1, cx + 56, h * 1.24), 20, 160, fill=(150, 70, 66), width=9)
    out = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.6)).save(out, "JPEG", quality=88)
    return out.getvalue()


def digest(*parts: object) -> str:
    return sha256(" ".join(map(str, parts)).encode()).hexdigest()


def shots(number: int, count: int, flags: tuple[str, ...] = (), approved: bool = False) -> tuple[HeadshotRow, ...]:
    rows = []
    for shot in range(count):
        weak = 0.34 * bool(flags) + 0.03 * shot
        rows.append(HeadshotRow(
            digest=digest("headshot", number, shot), key=f"h/{number}", choice=shot + 1, shot=shot, seed=1000 + shot,
            why="Closest to the selfies of four, sharp, and exactly on the eye line." if shot == 0 else "Softer than the first.",
            flags=flags if shot == 0 else (), kit="northwind", created_at=NOON - timedelta(minutes=20),
            state="approved" if approved and shot == 0 else "candidate",
            scores=Scores(
                likeness={"likeness": 0.86 - weak, "probability": 0.994 - weak, "relative": 0.97 - weak, "rank": 1, "margin": 0.31,
                          "copied": False},
                measures={"eye_line": 0.44, "roll": 0.3, "background": 0.4, "halo": 1.9, "holes": 0.001},
                faithfulness={"texture_ratio": 0.92, "skin_shift": 1.8, "skin_limit": 12.0},
                flags=tuple({"code": code, "measured": 0.52, "limit": 0.6, "sentence": "It is 52 % sure; 60 % are asked."} for code in flags),
            ).shown(),
        ))  # fmt: skip
    return tuple(rows)


def person(number: int, name: str | None = None, **fields: Any) -> PersonRow:
    first, last = FIRST.split(), LAST.split()
    name = name if name is not None else f"{first[number % len(first)]} {last[(number * 7) % len(last)]}"
    few = number % 9 == 4
    selfies = tuple(
        SelfieRow(
            digest("selfie", number, i), f"s/{number}/{i}", 600, 600, accepted=i != 3,
            findings=(FindingRow("blurred", "31", "60", "Your fourth photo is not sharp. Hold the phone still.", "reject"),) if i == 3 else (),
        )
        for i in range(3 if few else 6)
    )  # fmt: skip
    given: dict[str, Any] = {
        "id": f"p{number:015x}", "number": f"{number:03d}", "title": TITLES[number % 6],
        "department": DEPARTMENTS[number % 5], "email": f"person{number}@example.com", "state": "done", "cohort": number // 16,
        "position": number, "selfies": selfies, "headshots": shots(number, 4), "adapter": AdapterRow(400, 5, few, 93.0, 0.2, 0.1),
        "findings": (FindingRow("too_few_photos", "3", "4", "Three good photos: more would help.", "warn"),) if few else (),
    }  # fmt: skip
    return reviewed(PersonRow(name=name, **{**given, **fields}))


def reviewed(one: PersonRow) -> PersonRow:
    """A person with what their decisions come to, as `gather` finds it out."""
    events = [DecisionEvent(str(at), d.verdict, d.at, "b", picture=d.headshot) for at, d in enumerate(one.decisions)]
    pictures = [Picture(s.digest, s.created_at or NOON, s.lane, s.state == "retired") for s in one.headshots]
    return replace(one, review=review_of(events, pictures))


def blocked(number: int, reason: str, findings: tuple[FindingRow, ...] = (), **fields: Any) -> PersonRow:
    nothing: dict[str, Any] = {"selfies": (), "headshots": (), "adapter": None, "cohort": None}
    return person(number, state="blocked", reason=reason, findings=findings, **{**nothing, **fields})


def _row(measure: str, unit: str, median: float, worst: float, target: float) -> dict[str, Any]:
    return {
        "measure": measure,
        "unit": unit,
        "median": median,
        "worst": worst,
        "target": target,
        "met": worst <= target,
    }


TEAM = {
    "people": 20,
    "rows": [
        _row("background to brand", "ΔE", 0.31, 0.62, 1.0),
        _row("background between people", "ΔE", 0.24, 0.55, 1.0),
        _row("halo", "ΔE", 1.4, 2.6, 3.0),
        _row("eye line", "% of frame", 0.2, 0.6, 1.0),
        _row("head height", "% of frame", 0.9, 1.7, 2.0),
        _row("roll", "degrees", 0.6, 1.8, 3.0),
        _row("light left to right", "stops, sd", 0.41, 0.41, 0.35),
        _row("cheek texture kept", "ratio", 0.94, 0.81, 1.4),
    ],
    "bias": [
        {"group": "all", "people": 20, "shift": 0.8, "within_target": True},
        {"group": "darkest third", "people": 7, "shift": -0.2, "within_target": True},
    ],
    "outliers": [{"employee_id": f"p{3:015x}", "measure": "light left to right", "value": 0.9, "limit": 0.5}],
}


def company(people: int = 24, names: tuple[str, ...] = (), *, candidates: int = 2, photos: int = 4) -> ReportData:
    """`people` people: most are done, every seventh stands somewhere else on the way."""
    odd: dict[int, Callable[[int], PersonRow]] = {
        2: lambda n: person(n, headshots=shots(n, 4, flags=("likeness",)), state="flagged", reason="likeness"),
        5: lambda n: blocked(n, "no_consent"),
        6: lambda n: blocked(n, "no_photos"),
        8: lambda n: person(n, headshots=shots(n, 4, approved=True),
                            decisions=(DecisionRow("approve", "Ada", NOON, digest("headshot", n, 0)),)),
        11: lambda n: blocked(n, "other_person", selfies=person(n).selfies, findings=(
            FindingRow("other_person", "0.21", "0.35", "Two of your photos show somebody else.", "block"),)),
        13: lambda n: blocked(n, "on_leave"),
        15: lambda n: person(n, state="failed", reason="training_failed", headshots=()),
        17: lambda n: blocked(n, "no_photos"),
        18: lambda n: person(n, state="ready", headshots=(), adapter=None),
    }  # fmt: skip
    rows = [odd.get(n % 24, person)(n) for n in range(people)]
    rows += [person(people + i, name) for i, name in enumerate(names)]
    rows = [replace(one, headshots=one.headshots[:candidates], selfies=one.selfies[:photos]) for one in rows]
    batch = BatchRow(
        "b20261123a", NOON - timedelta(hours=1), "northwind", "standard", "embedded", kit_title="Northwind",
        facts={"base_fingerprint": "5d41402abc4b", "people": len(rows), "team": TEAM,
               "seconds": 1604, "work": {"trained": 30, "rendered": 120}, "finished_at": "2026-09-14T11:27:00+00:00", "versions": {"rollcall": "0.1.0", "torch": "2.13.0"}},
        problems=({"code": "formula_cell", "row": 14, "column": "Job title", "shape": "=AAAA(…)", "fix": "", "blocking": False},),
    )  # fmt: skip

    def picture(employee: str, key: str) -> bytes:
        kind, *rest = key.split("/")
        number = int(rest[0]) % 40
        return face(number) if kind == "h" else face(number, selfie=True, size=(240, 240))

    return ReportData(batch, tuple(rows), NOON, picture)


@pytest.fixture(scope="session")
def data() -> ReportData:
    return company(24, HOSTILE)


__all__ = ["PASSWORD", "served"]  # fixtures, found here by every test of the reports


def fill_vault(vault: Vault, data: ReportData) -> None:
    """Store report data as the steps would have: records, consent, and encrypted pictures."""
    batch = data.batch
    with vault.session() as session:
        session.add(
            Batch(
                id=batch.id,
                order_key=batch.id,
                created_at=batch.created_at,
                drop="drop",
                kit=batch.kit,
                quality=batch.quality,
                base=batch.base,
                state=batch.state,
                facts=dict(batch.facts),
                problems=[dict(p) for p in batch.problems],
            )
        )
        for one in data.people:
            session.add(
                Employee(
                    id=one.id,
                    number=one.number + one.id[-4:],
                    name=one.name,
                    email=one.email,
                    department=one.department,
                    title=one.title,
                    updated_at=NOON,
                )
            )
            session.add(
                Seat(
                    batch_id=batch.id,
                    employee_id=one.id,
                    state=one.state,
                    reason=one.reason,
                    position=one.position,
                    cohort=one.cohort,
                    findings=[vars(f) for f in one.findings],
                )
            )
            if one.reason != "no_consent":
                session.add(Consent(id=new_id("c"), employee_id=one.id, given_at=NOON - timedelta(days=9)))
    for one in data.people:
        if one.reason != "no_consent":
            _fill_pictures(vault, data, one)


def _fill_pictures(vault: Vault, data: ReportData, one: PersonRow) -> None:
    permit = vault.permit(one.id, now=NOON)
    rows: list[Any] = []
    for order, selfie in enumerate(one.selfies):
        key = (
            vault.write(permit, "selfies", f"{selfie.digest}.jpg", data.pictures(one.id, selfie.key) or b"")
            if selfie.accepted
            else ""
        )
        rows.append(
            Selfie(
                id=new_id("s"),
                employee_id=one.id,
                digest=selfie.digest,
                blob_key=key,
                width=420,
                height=420,
                order=order,
                accepted=selfie.accepted,
                findings=[vars(f) for f in selfie.findings],
                created_at=NOON,
            )
        )
    for shot in one.headshots:
        key = vault.write(permit, "headshots", f"{shot.digest}.jpg", data.pictures(one.id, shot.key) or b"")
        rows.append(
            Headshot(
                digest=shot.digest,
                employee_id=one.id,
                kit=shot.kit,
                kit_digest="k",
                shot=shot.shot,
                seed=shot.seed,
                finished_key=key,
                scores=_stored(shot.scores),
                flags=list(shot.flags),
                state=shot.state,
                created_at=shot.created_at or NOON,
            )
        )
        rows.append(
            Showing(
                batch_id=data.batch.id,
                headshot_digest=shot.digest,
                employee_id=one.id,
                choice=shot.choice,
                why=shot.why,
            )
        )
    rows += [
        Decision(
            id=new_id("d"),
            employee_id=one.id,
            headshot_digest=d.headshot,
            batch_id=data.batch.id,
            kit=data.batch.kit,
            consent_id=permit.consent_id,
            verdict=d.verdict,
            by=d.by,
            at=d.at,
            note=d.note,
        )
        for d in one.decisions
    ]
    with vault.session() as session:
        session.add_all(rows)


LIKENESS = ("likeness", "relative", "probability", "rank", "margin", "copied")


def _stored(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Scores in the form of the records again."""
    parts = {name: shown[name] for name in ("measures", "faithfulness", "flags")}
    return {**parts, "likeness": {name: shown[name] for name in LIKENESS}}


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose vault holds `small`: filled once, copied for each test."""
    home = tmp_path_factory.mktemp("filled") / "home"
    with open_vault(Settings(home=home)) as opened:
        fill_vault(opened, small())
        rewrite_report(opened, "b20261123a", now=NOON)
    return home


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    shutil.copytree(filled, tmp_path / "home")
    return Settings(home=tmp_path / "home", desk_password=PASSWORD)


@pytest.fixture
def vault(settings: Settings) -> Iterator[Vault]:
    with open_vault(settings) as opened:
        yield opened


def small() -> ReportData:
    """Nine people: two to review, one flagged, one approved, blocked ones; few pictures, so that it is quick to store."""
    return company(9)


@pytest.fixture
def prefect() -> Prefect:
    return Prefect(NOON + timedelta(minutes=30))
