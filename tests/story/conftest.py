"""Whole stories on a small piece of the synthetic company: the real commands, the shipped models, few training steps.

What these tests promise does not depend on how well a face was learned or on how many pictures there are to choose
from, so thirty steps and two pictures do; with fewer steps, one adapter is like another and is refused.
"""

import csv
import hashlib
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
from sqlmodel import select

from tasks.vault.records import Adapter, Employee, Headshot
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

ROOT = Path(__file__).resolve().parents[2]
STEPS = 30
MARK = bytes(range(32))


@dataclass(frozen=True)
class Company:
    """A drop, and what is personal in it."""

    drop: Path
    rows: list[dict[str, str]]

    def secrets(self) -> set[str]:
        """Every name, e-mail and photo file name of the company, as they might turn up somewhere."""
        named = {value for row in self.rows for key, value in row.items() if "Name" in key or "Email" in key}
        files = {path.name for path in (self.drop / "selfies").rglob("*") if path.is_file()}
        # One common word or a bare digit would be found by chance and prove nothing.
        return {secret for secret in named | files if len(secret) > 5}


NUMBER = "Employee ID"


def draw_company(drop: Path, consenting: list[str], without: str, unwilling: str, photos: int | None = None) -> Company:
    """A piece of the sample company in this folder: who consents, one who has no photos, one who has not consented.

    Each with `photos` of their photos, all when left out.
    """
    source = ROOT / "samples" / "northwind"
    text = (source / "roster.csv").read_bytes().decode("utf-8-sig")
    everybody = {row[NUMBER]: row for row in csv.DictReader(io.StringIO(text[text.index(NUMBER) :]))}
    rows = [everybody[number] for number in (*consenting, unwilling, without)]
    with (drop / "roster.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for number in (*consenting, unwilling):
        (drop / "selfies" / number).mkdir(parents=True)
        for photo in sorted((source / "selfies" / number).iterdir())[:photos]:
            shutil.copy(photo, drop / "selfies" / number)
    register = (source / "consents.csv").read_text(encoding="utf-8-sig").splitlines()
    (drop / "consents.csv").write_text("\n".join(line for line in register if unwilling not in line), encoding="utf-8")
    return Company(drop, rows)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Three people with photos, one of whom did not consent, and one without a folder."""
    return draw_company(tmp_path_factory.mktemp("drop"), ["NW-1001", "NW-1004"], without="NW-1002", unwilling="NW-1005")


@pytest.fixture(scope="session")
def group_of_16(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Sixteen people who can be photographed, four photos each; one who did not consent, and one without a folder."""
    sound = [f"NW-{number}" for number in (*range(1004, 1011), *range(1012, 1017), 1001, 1024, 1025, 1030)]
    drop = tmp_path_factory.mktemp("sixteen")
    return draw_company(drop, sound, without="NW-1002", unwilling="NW-1011", photos=4)


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded base under a card that trains for a few steps only."""
    folder = tmp_path_factory.mktemp("bases")
    card = (ROOT / "base_models" / "embedded.toml").read_text()
    quick = re.sub(r"^(draft|standard|best) = \d+", rf"\1 = {STEPS}", card, flags=re.MULTILINE)
    assert quick != card
    (folder / "embedded.toml").write_text(quick)
    (folder / "embedded").symlink_to(ROOT / "base_models" / "embedded")
    return folder


@pytest.fixture(scope="session")
def kits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The brand kits, with two pictures a person."""
    folder = tmp_path_factory.mktemp("home") / "kits"
    shutil.copytree(ROOT / "brand_kits", folder)
    for path in folder.glob("*/kit.toml"):
        kit, found = re.subn(r"^per_person = \d+", "per_person = 2", path.read_text(), flags=re.MULTILINE)
        assert found == 1
        path.write_text(kit)
    return folder


@pytest.fixture
def strict_kit(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder with the kit `strict`, one picture a person, which nobody is like themselves enough for."""

    def write(extra_rounds: int) -> Path:
        kit = (ROOT / "brand_kits" / "signal" / "kit.toml").read_text()
        for key, value in (("per_person", 1), ("extra_rounds", extra_rounds)):
            kit, found = re.subn(rf"^{key} = \d+", f"{key} = {value}", kit, flags=re.MULTILINE)
            assert found == 1
        folder = tmp_path / "kits" / "strict"
        folder.mkdir(parents=True)
        # Gaps in the background alone would be graver than likeness.
        (folder / "kit.toml").write_text(f"{kit}\n[floors]\nlikeness = 1.0\nholes = 0.2\n")
        return folder.parent

    return write


@dataclass(frozen=True)
class Installation:
    """One home, and the command line on it."""

    home: Path
    bases: Path
    kits: Path

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROLLCALL_"))}
        ours = {"ROLLCALL_HOME": self.home, "ROLLCALL_BASES": self.bases, "ROLLCALL_KITS": self.kits}
        plain = {name: str(path) for name, path in ours.items()}
        return {**kept, **plain, "OMP_NUM_THREADS": "2", "PYTHONUNBUFFERED": "1"}

    def run(self, *words: str, **more: str) -> str:
        """Runs `rollcall` to its end, with `more` in its environment; the test fails with its output when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *words],
            env=self.environment() | more, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ended(self, *words: str, **more: str) -> str:
        """The same however it ends: what it said. A traceback is said by nothing that ends well."""
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *words],
            env=self.environment() | more, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run_until(self, phase: str, *words: str) -> bool:
        """Runs `rollcall` and kills it, and it alone, when `phase` begins: what it started has to end with it. False if
        the phase never began."""
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *words],
            env=self.environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True,
        )  # fmt: skip
        assert process.stdout
        reached = any(phase in line for line in process.stdout)
        started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.kill()
        process.wait()
        process.stdout.close()
        _, left = psutil.wait_procs(started, timeout=20)
        for one in left:
            one.kill()
        assert left == [], f"killed in {phase!r}, these would go on for ever: {[one.cmdline() for one in left]}"
        return reached

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.home / "rollcall.db") as database:
            return database.execute(query).fetchall()

    def batch(self) -> str:
        return str(self.rows("select id from batch order by created_at desc limit 1")[0][0])

    def digests(self) -> dict[str, list[str]]:
        """The identities of everything that was made."""
        return {
            "adapters": [str(row[0]) for row in self.rows("select digest from adapter order by digest")],
            "headshots": [str(row[0]) for row in self.rows("select digest from headshot order by digest")],
        }

    def contents(self) -> dict[str, list[tuple[str, str]]]:
        """What was made under these stories' kit, by number and content: ids, and the digests that hold them, are each
        home's own."""
        with open_vault(Settings(home=self.home)) as vault, vault.reading() as session:
            owners = {one.id: one for one in session.exec(select(Employee))}
            adapters = [(one.employee_id, one.blob_key) for one in session.exec(select(Adapter))]
            taken = session.exec(select(Headshot).where(Headshot.kit == "harbour"))
            pictures = [(one.employee_id, one.original_key) for one in taken]
            leave = {one: vault.permit(one, now=datetime.now(UTC)) for one, _ in adapters + pictures}

            def content(owner: str, key: str) -> tuple[str, str]:
                return owners[owner].number, sha256(vault.read(leave[owner], key)).hexdigest()

            kinds = {"adapters": adapters, "pictures": pictures}
            return {kind: sorted(content(*one) for one in found) for kind, found in kinds.items()}

    def made(self, drop: Path) -> str:
        return self.run("make", str(drop), "--kit", "harbour", "--quality", "draft")


@pytest.fixture(scope="session")
def new_home() -> Callable[[Path], Path]:
    """Prepares a home that marks pictures by the stories' key. By keys of their own, two homes mark one original in two
    ways and score it a hair's breadth apart: whoever is near a limit would be taken again in one of them only."""

    def prepare(home: Path) -> Path:
        with open_vault(Settings(home=home)) as vault, pytest.MonkeyPatch.context() as patch:
            patch.setattr("tasks.vault.keys.os.urandom", lambda _: MARK)
            assert vault.keys.secret("mark") == MARK
        return home

    return prepare


@pytest.fixture
def installation(tmp_path: Path, bases: Path, kits: Path, new_home: Callable[[Path], Path]) -> Installation:
    return Installation(new_home(tmp_path / "home"), bases, kits)


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
    bases: Path,
    kits: Path,
    company: Company,
    new_home: Callable[[Path], Path],
) -> Installation:
    """An installation on which the company's batch ran undisturbed. Tests read it; they do not change it."""
    one = Installation(new_home(tmp_path_factory.mktemp("finished") / "home"), bases, kits)
    one.made(company.drop)
    return one


@pytest.fixture(scope="session")
def fingerprint() -> Callable[[Path], str]:
    """One hash over every file of a folder, names and bytes."""

    def over(folder: Path) -> str:
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
        return digest.hexdigest()

    return over
