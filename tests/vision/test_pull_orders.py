"""Pulling in orders nobody planned: killed between two steps, beside a run, after another revision, half a stick."""

import json
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants, file_download
from typer.testing import CliRunner

from flows.cli import app
from tasks.vision import pull
from tasks.vision.base_files import NotWhole, read_index
from tasks.vision.diffusion_card import BaseCard, load_base_card
from tasks.vision.hub import Hub
from tasks.vision.pull import PullFailed, pull_base
from tasks.vision.pulled import read_pulled, why_not_here
from tests.vision.conftest import WEIGHTS
from tests.vision.loopback_hub import REVISION, LoopbackHub, serving

Fetch = Callable[..., Path]
NEXT = "f" * 40


def write_card(shelf: Path, bases: Path) -> None:
    """The tiny base's card, as if its files lay at a hub."""
    bases.mkdir(parents=True)
    source = f'repository = "tiny/base"\nrevision = "{REVISION}"'
    (bases / "tiny.toml").write_text((shelf / "tiny.toml").read_text().replace('path = "tiny"', source))


def test_killed_after_the_last_byte_and_before_the_name_nothing_comes_again(
    fetch: Fetch, card: BaseCard, hub: LoopbackHub
) -> None:
    """As it was, a half of the very length was thrown away: ten gigabytes, once more."""
    folder = fetch()
    remote = Hub("tiny/base", REVISION, hub.address).files()[WEIGHTS]
    half = folder / "unet" / f".diffusion_pytorch_model.safetensors.{(remote.sha256 or '')[:12]}.half"
    (folder / WEIGHTS).rename(half)
    hub.served.clear()
    fetch()
    assert [name for name, _ in hub.served] == []
    assert why_not_here(card) is None
    assert not half.exists()


def test_what_came_needs_no_room_again(
    fetch: Fetch, card: BaseCard, hub: LoopbackHub, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it was, whoever had a disk for the base and a cut connection was told to make room for all of it again."""
    folder = fetch()
    remote = Hub("tiny/base", REVISION, hub.address).files()[WEIGHTS]
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).unlink()
    half = folder / "unet" / f".diffusion_pytorch_model.safetensors.{(remote.sha256 or '')[:12]}.half"
    half.write_bytes(data[:-100])
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(pull.shutil, "disk_usage", lambda _: usage(0, 0, 100))
    fetch()
    assert "100 bytes to fetch, 100 bytes free" in said[-2]
    assert (folder / WEIGHTS).read_bytes() == data
    (folder / WEIGHTS).write_bytes(bytes(len(data)))
    fetch()  # the wrong file's own room is enough for the right one
    assert (folder / WEIGHTS).read_bytes() == data


def test_a_base_stays_usable_while_it_is_pulled_again(fetch: Fetch, card: BaseCard, hub: LoopbackHub) -> None:
    """As it was, a run that began meanwhile was told that the base was not here."""
    fetch()
    seen: list[str | None] = []
    pull_base(card, say=lambda _: seen.append(why_not_here(card)), mirror=hub.address)
    assert seen == [None]


def test_nothing_of_another_revision_is_loaded(shelf: Path, fetch: Fetch, card: BaseCard, tmp_path: Path) -> None:
    """As it was, one file of weights stayed beside the next revision's pieces, and would have been loaded."""
    folder = fetch()
    (folder / "my notes.txt").write_text("mine")
    later = shutil.copytree(shelf / "tiny", tmp_path / "later")
    (later / "unet/diffusion_pytorch_model.safetensors").rename(
        later / "unet/diffusion_pytorch_model-00001-of-00001.safetensors"
    )
    (later / "unet/diffusion_pytorch_model.safetensors.index.json").write_text("{}")
    (later / "tokenizer/chat_template.jinja").unlink()
    pull_base(card.model_copy(update={"revision": NEXT}), say=print, source=later)
    assert not (folder / WEIGHTS).exists()
    assert not (folder / "tokenizer/chat_template.jinja").exists()
    assert (folder / "my notes.txt").exists(), "what no pull brought is nobody's to throw away"


def test_a_pull_that_begins_over_another_revision_is_no_base_from_its_first_byte(
    fetch: Fetch, card: BaseCard, hub: LoopbackHub
) -> None:
    """Killed while the index was replaced, the card then set back: the old note still said that all was whole."""
    folder = fetch()
    (folder / "model_index.json").write_text("{}")
    hub.wrong = {"model_index.json"}
    with pytest.raises(PullFailed, match="thrown away"):
        fetch()
    note = read_pulled(folder)
    assert note is not None
    assert not note.complete


def test_half_a_stick_is_no_base(fetch: Fetch, card: BaseCard, tmp_path: Path) -> None:
    """As it was, a chat template that had not been copied was simply left out."""
    stick = shutil.copytree(fetch(), tmp_path / "stick" / "tiny")
    inside = card.model_copy(update={"folder": tmp_path / "inside" / "tiny"})
    (stick / "tokenizer/chat_template.jinja").unlink()
    with pytest.raises(PullFailed, match=r"no whole base \(tokenizer/chat_template.jinja is missing\)"):
        pull_base(inside, say=print, source=stick)
    shutil.copy(card.folder / "tokenizer/chat_template.jinja", stick / "tokenizer")
    note = json.loads((stick / "pulled.json").read_text())
    (stick / "pulled.json").write_text(json.dumps(note | {"complete": False}))
    with pytest.raises(PullFailed, match="its pull was cut"):
        pull_base(inside, say=print, source=stick)
    with pytest.raises(PullFailed, match="carried in"):
        pull_base(card, say=print, source=card.folder)
    assert why_not_here(card) is None, "what was right is untouched"


def test_a_stick_without_a_note_may_hold_anything_and_is_told_off_in_a_sentence(
    shelf: Path, card: BaseCard, tmp_path: Path
) -> None:
    stick = shutil.copytree(shelf / "tiny", tmp_path / "stick")
    for text, why in (("<html>", "is not JSON"), ("[]", "no table of parts"), ("{}", "unet")):
        (stick / "model_index.json").write_text(text)
        if text != "{}":
            with pytest.raises(PullFailed, match=why):
                pull_base(card, say=print, source=stick)
    assert read_index(stick) == {}
    (stick / "model_index.json").unlink()
    with pytest.raises(NotWhole):
        read_index(stick)


def test_no_repository_leads_out_of_its_folder(shelf: Path, card: BaseCard, tmp_path: Path) -> None:
    stick = shutil.copytree(shelf / "tiny", tmp_path / "stick")
    index = json.loads((stick / "model_index.json").read_text())
    (tmp_path / "evil.json").write_text("{}")
    (stick / "model_index.json").write_text(json.dumps(index | {"..": ["diffusers", "AutoencoderKL"]}))
    pull_base(card, say=print, source=stick)
    assert why_not_here(card) is None
    assert {path.name for path in card.folder.parent.iterdir()} == {"tiny"}


def test_a_base_whose_card_names_no_repository_comes_from_a_folder(
    shelf: Path, card: BaseCard, tmp_path: Path, said: list[str]
) -> None:
    """As it was, the pull said that it ships with Rollcall, and that there was nothing to fetch."""
    nowhere = card.model_copy(update={"repository": None, "revision": None})
    with pytest.raises(PullFailed, match="names no repository: restore the folder, or bring"):
        pull_base(nowhere, say=said.append)
    pull_base(nowhere, say=said.append, source=shelf / "tiny")
    assert why_not_here(nowhere) is None
    pull_base(nowhere, say=said.append)
    assert "nothing to fetch" in said[-1]


def test_a_gate_before_the_files_alone(fetch: Fetch, card: BaseCard, hub: LoopbackHub) -> None:
    """The real hub lists a gated repository for everybody, and asks at the first file."""
    hub.gated_files = True
    with pytest.raises(PullFailed, match="Accept the licence at https"):
        fetch()
    hub.gated_files = False
    fetch()
    assert why_not_here(card) is None


def test_a_refused_pull_leaves_nothing_that_counts_as_a_part(
    shelf: Path, fetch: Fetch, card: BaseCard, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_card(shelf, card.folder.parent)
    monkeypatch.setenv("ROLLCALL_BASES", str(card.folder.parent))
    monkeypatch.setenv("ROLLCALL_HOME", str(card.folder.parent.parent / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    hub.gated = True
    with pytest.raises(PullFailed):
        fetch()

    def listed() -> str:
        return next(one for one in CliRunner().invoke(app, ["models", "list"]).output.splitlines() if "tiny" in one)

    assert listed().split()[-1] == "no"
    hub.gated, hub.wrong = False, {WEIGHTS}
    with pytest.raises(PullFailed):
        fetch()
    assert listed().split()[-2:] == ["in", "part"]
    hub.wrong = set()
    fetch()
    assert listed().split()[-1] == "yes"


def test_poor_mirrors_are_told_apart(
    fetch: Fetch, card: BaseCard, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PullFailed, match="begins with https"):
        pull_base(card, say=print, mirror="mirror.example.com")
    hub.sizes = False
    with pytest.raises(PullFailed, match="does not say how long"):
        fetch()
    hub.sizes, hub.ranges, hub.cut, hub.cuts = True, False, {WEIGHTS: 4096}, 1
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1024)
    monkeypatch.setattr("time.sleep", lambda _: None)
    pull_base(card, say=print, mirror=hub.address + "/")  # one that cannot go on begins anew, and is checked
    assert why_not_here(card) is None


def test_a_disk_that_fills_up_on_the_way_is_a_sentence_and_what_came_is_kept(
    fetch: Fetch, card: BaseCard, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(file_download, "http_get", full)
        with pytest.raises(PullFailed, match="disk is full"):
            fetch()
    fetch()
    stick, inside = card.folder, card.model_copy(update={"folder": card.folder.parent / "inside"})
    with monkeypatch.context() as patch:
        patch.setattr(pull, "replace_file", full)
        with pytest.raises(PullFailed, match="could not be written"):
            pull_base(inside, say=print, source=stick)
    assert "rollcall models pull tiny" in (why_not_here(inside) or "")
    pull_base(inside, say=print, source=stick)
    assert why_not_here(inside) is None
    assert not list(inside.folder.rglob(".*.part"))


PULLING = """
import sys
from pathlib import Path
from huggingface_hub import constants, file_download
from tasks.vision import pull
from tasks.vision.diffusion_card import load_base_card
constants.HF_HUB_OFFLINE, pull.SPARE = False, 0
card = load_base_card("tiny", Path(sys.argv[1]))
def say(text):
    print(text, flush=True)
    if " 3 of " in text:
        sys.stdin.read()
pull.pull_base(card, say=say, mirror=sys.argv[2])
"""


def test_killed_between_two_files_the_next_pull_brings_the_rest_and_a_second_one_waits_for_nobody(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(pull, "SPARE", 0)
    bases = tmp_path / "bases"
    write_card(shelf, bases)
    card = load_base_card("tiny", bases)
    with serving(shelf / "tiny") as hub:
        command = [sys.executable, "-c", PULLING, str(bases), hub.address]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
            assert first.stdout is not None
            while " 3 of " not in first.stdout.readline():
                assert first.poll() is None
            with pytest.raises(PullFailed, match="another pull"):
                pull_base(card, say=print, mirror=hub.address)
            first.kill()
        assert "rollcall models pull tiny" in (why_not_here(card) or "")
        came = {name for name, _ in hub.served}
        hub.served.clear()
        pull_base(card, say=print, mirror=hub.address)
        assert not came & {name for name, _ in hub.served}
    assert why_not_here(card) is None
