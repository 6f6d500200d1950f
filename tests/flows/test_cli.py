"""The commands that need no trained face are run for real; those that do are run by tests/story."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.failures import RollcallError
from tasks.roster.open_drop import upload_in
from tasks.vault.settings import Settings
from tasks.vault.store import open_vault

ROOT = Path(__file__).resolve().parents[2]
NORTHWIND = ROOT / "samples" / "northwind"


def rollcall(*words: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def test_check_of_a_roster_says_how_everybody_stands() -> None:
    said = rollcall("check", str(NORTHWIND / "roster.csv"))
    assert "no_consent" in said
    assert "left_company" in said
    assert "31 people" in said


def test_check_announces_a_kit_that_is_not_there_as_a_run_would(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "Employee ID,Name,Email,Consent,Brand kit\n7,Ada Oka,a@x.example,yes,navy\n8,Bo Li,b@x.example,yes,harbour\n"
    )
    said = " ".join(rollcall("check", str(roster)).split())
    assert "unknown_kit: Roster row 2: there is no brand kit of this name. Write one of: daylight, harbour," in said
    assert "2 people: 1 ready, 1 blocked." in said


def test_check_writes_a_table_to_send_back(tmp_path: Path) -> None:
    out = tmp_path / "problems.csv"
    rollcall("check", str(NORTHWIND / "roster.csv"), "--out", str(out))
    assert len(out.read_text(encoding="utf-8-sig").splitlines()) > 5


def test_a_whole_folder_is_checked_and_an_upload_that_lies_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "Employee ID,Name,Email,Consent\n7,Ada Okafor,ada@example.com,no\n"
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path / "home"))
    for folder in (tmp_path / "theirs", tmp_path / "home" / "drops" / "20261128-0123456789"):
        (folder / "selfies").mkdir(parents=True)
        (folder / "roster.csv").write_text(table)
    settings = Settings(home=tmp_path / "home")
    with open_vault(settings) as vault:
        assert upload_in(folder, vault).seal_clear() == 1
    assert "1 person: 0 ready, 1 blocked" in rollcall("check", str(tmp_path / "theirs"))
    assert "1 person: 0 ready, 1 blocked" in rollcall("check", str(folder))


def test_checking_a_roster_loads_neither_torch_nor_prefect() -> None:
    program = (
        "import sys; sys.argv = ['rollcall', 'check', sys.argv[1]]\n"
        "from flows.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print('LOADED', [name for name in ('torch', 'prefect', 'diffusers') if name in sys.modules])"
    )
    roster = str(NORTHWIND / "roster.csv")
    done = subprocess.run([sys.executable, "-c", program, roster], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "LOADED []" in done.stdout


def test_kits_are_listed_and_drawn(tmp_path: Path) -> None:
    listed = [line.split()[0] for line in rollcall("kit", "list").splitlines() if line.strip()]
    assert len(listed) >= 4
    card = tmp_path / ("longer-than-a-line-" * 5) / "card.png"
    card.parent.mkdir()
    assert f"Written: {card}\n" in rollcall("kit", "show", "harbour", "--out", str(card)), "whole, to be copied"
    assert card.read_bytes().startswith(b"\x89PNG")
    assert "no brand kit" in rollcall("kit", "show", "nosuch", expect=1)


def test_a_setting_that_cannot_be_meant_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_TIMEZONE", "Berlin")
    said = rollcall("kit", "show", "harbour", expect=1)
    assert said.startswith("ROLLCALL_TIMEZONE: there is no time zone called Berlin")
    assert len(said.splitlines()) == 1


def test_one_broken_kit_breaks_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ended the list in a traceback for all, was offered in the form, and failed there when all had been learned."""
    kits = tmp_path / "kits"
    shutil.copytree(ROOT / "brand_kits" / "harbour", kits / "harbour")
    for name, text in (("misspelt", "colour = [1, 2"), ("unknown", 'title = "X"\n[backdrop]\ncolor = "#fff"\n')):
        (kits / name).mkdir()
        (kits / name / "kit.toml").write_text(text)
    monkeypatch.setenv("ROLLCALL_KITS", str(kits))
    lines = rollcall("kit", "list").splitlines()
    assert lines[0].split()[0] == "harbour"
    assert [line.split()[0] for line in lines if "cannot be used" in line] == ["misspelt", "unknown"]

    import flows.headshots as story

    form = importlib.reload(story)
    try:
        assert list(form._KITS) == ["Harbour partners"], "by its title, and the broken ones not at all"
        for name, says in (("misspelt", "misspelt"), ("unknown", "unknown"), ("hannah", "no such brand kit")):
            with pytest.raises(RollcallError, match=says) as refused:
                form.usable(name, kits)
        assert "hannah" not in str(refused.value), "nobody wrote that but whoever typed it, and Prefect keeps it"
        assert form.usable("harbour", kits) == "harbour"
    finally:
        monkeypatch.undo()
        importlib.reload(story)


def test_models_are_listed_with_their_licences() -> None:
    said = rollcall("models", "list")
    assert "embedded" in said
    assert "Apache-2.0" in said


def test_pulling_what_ships_with_rollcall_fetches_nothing() -> None:
    assert "nothing to fetch" in rollcall("models", "pull", "embedded")


def test_the_plan_is_printed_before_anything_is_trained() -> None:
    said = rollcall("make", "anywhere", "--plan", "--quality", "best")
    assert "steps" in said
    assert "few photos" in said


def test_keeping_commands_work_on_an_empty_home(tmp_path: Path) -> None:
    assert "Goes now: 0" in rollcall("retention", "plan")
    assert "0 receipts" in rollcall("retention", "run")
    rollcall("audit", "verify")
    rollcall("retention", "policy", "--out", str(tmp_path / "policy.html"))
    assert "<html" in (tmp_path / "policy.html").read_text()
    assert "Nobody on record" in rollcall("forget", "NW-1001", "--yes", expect=1)


@pytest.mark.parametrize("words", [("make", "/no/such/folder"), ("decide", "/no/such/file")])
def test_a_careless_hand_gets_a_sentence_and_no_traceback(words: tuple[str, ...]) -> None:
    asked = [sys.executable, "-m", "flows.cli", *words]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr


def test_decisions_of_a_batch_that_is_not_here_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps({"batch": "b0", "by": "HR", "decisions": []}))
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", "decide", str(tmp_path / "d.json")],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("words", [("retention", "plan"), ("audit", "verify"), ("decide",), ("make",), ("forget",)])
def test_every_command_that_opens_a_home_can_be_told_which(words: tuple[str, ...]) -> None:
    assert "--home" in rollcall(*words, "--help")


def test_a_home_and_what_a_command_makes_in_it_are_nobody_elses(tmp_path: Path) -> None:
    """As `pip` and older versions made it: 0755, and everything in it readable."""
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "rollcall.db").touch(mode=0o644)
    rollcall("retention", "plan", "--home", str(home))
    assert (home / "rollcall.db").stat().st_size > 0
    assert [path.name for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077] == []


def test_a_kits_prompts_are_counted_by_the_bases_own_tokenizer(tmp_path: Path) -> None:
    said = rollcall("kit", "show", "northwind", "--out", str(tmp_path / "card.png"))
    found = re.search(r"Longest prompt: (\d+) of the 48 tokens that embedded reads", said)
    assert found, said
    assert 10 < int(found[1]) < 40
