"""The README tells the truth: its commands exist, its links lead somewhere, its pictures are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"^\$ rollcall ((?:[a-z-]+ ?){1,2})", README, re.MULTILINE)))
GROUPS = {"adapter", "retention", "audit", "kit", "models"}


def words(command: str) -> list[str]:
    """The command's own words, without the arguments of the example."""
    first, *rest = command.split()
    return [first, *rest[:1]] if first in GROUPS else [first]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_readme_exists_and_explains_itself(command: str) -> None:
    asked = [sys.executable, "-m", "flows.cli", *words(command), "--help"]
    answer = subprocess.run(asked, capture_output=True, text=True, cwd=ROOT, check=False)
    assert answer.returncode == 0, answer.stderr
    assert len(answer.stdout) > 100


def test_the_two_commands_of_the_first_screen_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^\$ make ([a-z-]+)", README, re.MULTILINE)) <= targets


def test_links_and_pictures_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", README, re.M)
    }
    broken = []
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            broken += [target] if target[1:] not in headings else []
        elif not target.startswith("http"):
            broken += [target] if not (ROOT / target.split("#")[0]).exists() else []
    assert broken == []


def test_each_word_has_one_meaning_and_a_place_in_the_code() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| `([^`]+)` \|$", (ROOT / "docs" / "words.md").read_text(), re.MULTILINE)
    words = [word.strip() for names, _ in rows for word in names.split(",")]
    assert len(words) == len(set(words)) > 20
    for _, place in rows:
        path, _, name = place.partition(":")
        assert (ROOT / path).exists(), place
        code = (ROOT / path).read_text()
        assert not name or re.search(rf"^(class|def) {name}\b|^{name} = ", code, re.MULTILINE), place


def test_every_setting_is_in_the_table() -> None:
    from tasks.vault.settings import Settings

    table = "\n".join(line for line in README.splitlines() if line.startswith("| `"))
    named = {name.lower() for name in re.findall(r"`ROLLCALL_([A-Z_]+)`", table)}
    before = {"log"}  # asked before there are settings (tasks/vault/process.py)
    assert set(Settings.model_fields) | before == named, "a setting without a row, or a row without a setting"


def test_the_data_map_is_the_one_that_is_carried_out() -> None:
    from tasks.vault.register import data_map

    assert data_map().strip() in README
