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


PAGES = [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")] + sorted((ROOT / "docs").glob("*.md"))


def anchors(page: Path) -> set[str]:
    """What a link may name after the #, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False).stdout.split()
    if not tracked:
        pytest.skip("no repository: a page's files are looked for among those that git keeps")
    named = re.findall(r"`([\w./-]+\.(?:py|toml|md|yaml|yml|js|service))(?:::\w+)?`", page.read_text())
    assert [name for name in named if not any(f"/{one}".endswith(f"/{name}") for one in tracked)] == []


def test_every_command_beside_a_figure_is_one_that_can_be_run() -> None:
    """A benchmark that was renamed, or an option that it lost, leaves figures that nobody can print any more."""
    told = "".join(page.read_text() for page in PAGES)
    commands = set(re.findall(r"python -m (benchmarks\.[a-z_]+)([^`\n|]*)", told))
    assert len(commands) > 10
    wrong = []
    for module, words in commands:
        path = ROOT / module.replace(".", "/")
        files = sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        code = "".join(file.read_text() for file in files if file.exists())
        wrong += [f"{module} {flag}" for flag in re.findall(r"--[a-z-]+", words) if f'"{flag}"' not in code]
        wrong += [] if code else [module]
    assert wrong == []


def test_the_readme_keeps_the_five_figures_that_matter_and_each_is_short() -> None:
    part = README.split("\n## Figures\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `([^`]+)` \|$", part, re.MULTILINE)
    assert len(rows) == 5
    assert all(len(f"{what} {measured}".split()) <= 30 for what, measured, _ in rows)
    pages = _page("figures.md")
    assert [command for _, _, command in rows if command.split()[2] not in pages] == []


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

    table = "\n".join(line for line in _page("settings.md").splitlines() if line.startswith("| `"))
    named = {name.lower() for name in re.findall(r"`ROLLCALL_([A-Z_]+)`", table)}
    before = {"log"}  # asked before there are settings (tasks/vault/process.py)
    assert set(Settings.model_fields) | before == named, "a setting without a row, or a row without a setting"


def test_the_data_map_is_the_one_that_is_carried_out() -> None:
    from tasks.vault.register import data_map

    assert data_map().strip() in _page("data.md")


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def test_the_readme_stays_a_page_that_one_reads_and_begins_with_the_wall_and_two_commands() -> None:
    screen = README.split("\n## ")[0]
    assert "docs/team-wall.png" in screen
    assert re.findall(r"^\$ (.+?)\s+#", screen, re.MULTILINE) == ["make demo", "make test"]
    assert len(screen.splitlines()) <= 25
    assert {"docs/settings.md", "docs/data.md"} <= set(re.findall(r"\]\(([^)#]+)", README))
