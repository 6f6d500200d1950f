"""The README's commands, run for real and in its order, on a small piece of the synthetic company."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

ROOT = Path(__file__).resolve().parents[2]
LINES = re.findall(r"^\$ rollcall (.+?)(?:\s+#.*)?$", (ROOT / "README.md").read_text(), re.MULTILINE)
# What each command must say. One that is not here fails the test, and so does one that the README does not show.
SAYS = {
    # One of the six was learned by `make` before; who was forgotten needs a new consent, so another takes the seat.
    "demo": r"31 people on the roster[\s\S]*learned 5 faces and took \d+ pictures[\s\S]*Report: file://",
    "check": "4 people",
    "make": r"4 people on the roster[\s\S]*learned 2 faces",
    "review": "Review desk: http://127.0.0.1",
    "up": r"Run batches[\s\S]*Review ",
    "decide": "2 decisions recorded",
    "reshoot": r"learned 0 faces and took \d+ pictures",
    "deliver": r"1 people in \d+ files",
    "forget": "receipt",
    "retention plan": "Goes now: ",
    "audit verify": "entries are consistent",
    "kit show": "harbour|northwind",
    "models list": "embedded .*Apache-2.0",
}
SERVERS = {"up", "review"}


def name_of(line: str) -> str:
    """`retention plan` of `retention plan --now`, `make` of `make FOLDER`."""
    first, *rest = line.split()
    two = f"{first} {rest[0]}" if rest else first
    return two if two in SAYS else first


def decisions_of(installation, company) -> dict[str, object]:
    """The first person is approved, the second is to be taken again."""
    rows = installation.rows(
        "select h.employee_id, h.digest from headshot h join employee e on e.id = h.employee_id "
        f"where h.choice = 1 and h.batch_id = '{installation.batch()}' order by e.number"
    )
    now = datetime.now(UTC).isoformat()
    verdicts = [
        {"employee": person, "headshot": shot, "verdict": verdict, "at": now}
        for (person, shot), verdict in zip(rows, ("approve", "redo"), strict=True)
    ]
    return {"batch": installation.batch(), "by": "HR", "decisions": verdicts}


def serve(installation, words: list[str], answers: Callable[[str], bool]) -> str:
    """Runs a command that goes on until Ctrl-C, and stops it when its address answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *words], env={**installation.environment(), "BROWSER": "true"},
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    deadline = time.monotonic() + 120
    while not (reached := answers(said)) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.wait(60)
    process.stdout.close()
    assert reached, said
    return said


def desk_answers(said: str) -> bool:
    """Whether the review desk that was announced asks for a name."""
    found = re.search(r"Review\S*\s+(?:desk: )?(http://127\.0\.0\.1:\d+)", said)
    try:
        page = httpx.get(found[1], headers={"Accept": "text/html"}, follow_redirects=True, trust_env=False)
    except httpx.TransportError:
        return False
    return page.status_code == 200 and "<form" in page.text


def test_every_command_of_the_readme_does_what_it_says(installation, company, free_ports, tmp_path: Path) -> None:
    names = [name_of(line) for line in LINES]
    assert sorted(names) == sorted(SAYS)
    decided = tmp_path / "decisions.json"
    for name, line in sorted(
        zip(names, LINES, strict=True), key=lambda pair: pair[0] == "demo"
    ):  # last: it is another batch
        if name == "decide":
            decided.write_text(json.dumps(decisions_of(installation, company)))
        replaced = {
            "roster.csv": company.drop / "roster.csv", "selfies/": company.drop / "selfies", "FOLDER": company.drop,
            "BATCH": installation.batch() if name in ("reshoot", "deliver") else "", "decisions.json": decided,
            "NUMBER": company.rows[0]["Employee ID"],
        }  # fmt: skip
        if name == "deliver":
            replaced["FOLDER"] = tmp_path / "pack"
        words = [str(replaced.get(word, word)) for word in shlex.split(line)]
        if name in SERVERS:
            said = serve(installation, [*words, "--port", str(free_ports())], desk_answers)
        else:
            said = installation.run(*words, *(["--yes"] if name == "forget" else []))
        assert re.search(SAYS[name], said), f"rollcall {line}: {said}"
