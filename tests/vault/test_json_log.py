"""A line of the log holds ids, codes and quantities; names, addresses, file names and employee numbers are left out."""

import ast
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.vault.json_log import line_of, only_codes

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    "Hannah",
    "Arendt",
    "HANNAH",
    "hannah.arendt@corp.example",
    "hannah_arendt",
    "E4711",
    "4711",
    "23505",  # would be a SQLSTATE, behind a fault
    "12345678",
    "0012345678901",
    "IMG_4711.jpg",
    "O\u2019Hara",
)


def logged(logger: str, message: str, *given: object, fault: BaseException | None = None) -> dict[str, str]:
    info = (type(fault), fault, fault.__traceback__) if fault else None
    record = logging.LogRecord(logger, logging.WARNING, "x.py", 7, message, given, info)
    found: dict[str, str] = json.loads(line_of(record))
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("logger", ["sqlalchemy.engine", "prefect.flow_runs", "tasks.vault.lease"])
def test_nobody_gets_through(logger: str, name: str) -> None:
    message = "could not write %s" if logger.startswith("tasks.") else f"could not write {name}"
    assert name not in json.dumps(logged(logger, message, *([name] if logger.startswith("tasks.") else [])))


def test_ids_codes_and_quantities_get_through() -> None:
    said = "b0123456789abcde 2aece250-e39a-40cb-b197-719c471d5ac9 57P01 OperationalError 23505 CRASHED"
    assert only_codes(f"Hannah: {said}, at corp") == said
    assert only_codes("employee 4711 waited 3.5 s on port 4200, disk at 97%, exit 137") == "3.5 4200 97% 137"
    ours = logged("tasks.vault.lease", "the lease of %s could not be renewed (%s)", "b0123456789abcde", "TimeoutError")
    assert ours["said"] == "the lease of b0123456789abcde could not be renewed (TimeoutError)"
    assert logged("tasks.x", "base %s opened in %.1f s", "sdxl", 3.25)["said"] == "base … opened in 3.2 s"
    assert logged("tasks.x", "cohort %d broke down (%s)", 7, "IntegrityError")["said"].startswith("cohort 7 broke")


def test_a_number_of_ours_stays_only_where_our_own_word_says_what_it_counts() -> None:
    """Also one that was a number to begin with: a roster's column of numbers is read as such somewhere."""
    assert logged("tasks.x", "no seat for %d", 4711)["said"] == "no seat for …"
    assert logged("tasks.x", "no seat for %s of %s", 4711, "4711")["said"] == "no seat for … of …"
    assert logged("tasks.x", "read %s", "port 4711")["said"] == "read 4711", "a sentence of others, judged as theirs"
    assert logged("tasks.x", "100 %% of %d people", 12)["said"] == "100 % of 12 people"


def test_a_fault_is_its_class_and_the_lines_where_it_was() -> None:
    try:
        raise ValueError("Hannah Arendt")
    except ValueError as fault:
        found = logged("reports.desk.app", "something broke", fault=fault)
    assert found["fault"] == "ValueError"
    assert "Hannah" not in json.dumps(found)


def test_what_our_code_says_are_constants_of_the_program() -> None:
    """Else a name that was put into the text beforehand would be one of its words."""
    wrong = []
    for package in ("flows", "tasks", "reports"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                    continue
                called = ast.unparse(node.func)
                logs = called.startswith(("logger.", "logging.getLogger"))
                levels = {"debug", "info", "warning", "error", "exception", "critical"}
                constant = isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
                if logs and node.func.attr in levels and not constant:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_a_process_and_the_prefect_in_it_log_so() -> None:
    code = (
        "from tasks.vault.process import begin_process; begin_process()\n"
        "import logging, prefect\n"
        "logging.getLogger('prefect.workers').warning('Hannah %s s', 42)\n"
        "logging.getLogger('other').warning('Hannah 43 s, 44')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True,
        env={"ROLLCALL_LOG": "json", "PATH": "/usr/bin:/bin", "HOME": "/tmp"},
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["said"] for line in lines if line["said"]] == ["42", "43"]
    assert "Hannah" not in done.stderr
