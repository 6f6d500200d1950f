"""Where the files of a pair of eyes are looked for, what lies there, and how they come without a network."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.vault.settings import Settings, load_settings
from tasks.vision.eyes_card import EyesCard, lacking, read_eyes_card, state_of
from tasks.vision.pull import PullFailed
from tasks.vision.pull_networks import pull_eyes

FILES = {name: f"weights of {name}".encode() for name in ("finder", "matter", "first", "second")}


@pytest.fixture
def card(tmp_path: Path) -> EyesCard:
    """Eyes of two encoders that no address serves, so that nothing asks the network."""
    text = 'name = "toy"\ntitle = "Toy"\n'
    thresholds = ("same", "belongs", "stranger", "twin_folder", "margin", "likeness")
    for name, data in FILES.items():
        head = f'[[encoders]]\nname = "{name}"' if name in ("first", "second") else f"[{name}]"
        text += f'{head}\nfile = "{name}.onnx"\nsha256 = "{hashlib.sha256(data).hexdigest()}"\nbytes = {len(data)}\n'
        text += 'licence = "MIT"\norigin = "here"\n'
        if name in ("first", "second"):
            text += '[encoders.thresholds]\nfitted_on = "nothing"\nlikeness_slope = 1\nlikeness_bias = 0\n'
            text += "".join(f"{key} = 0.4\n" for key in thresholds)
    path = tmp_path / "toy_eyes.toml"
    path.write_text(text)
    return read_eyes_card(path)


def lay(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.onnx").write_bytes(FILES[name])
    return folder


def test_models_lie_in_the_home_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path / "home"))
    assert load_settings().models == tmp_path / "home" / "models"
    monkeypatch.setenv("ROLLCALL_MODELS", str(tmp_path / "elsewhere"))
    assert load_settings().models == tmp_path / "elsewhere"
    monkeypatch.chdir(tmp_path)
    assert Settings(models=Path("near")).models == tmp_path / "near"  # resolved once, for every process


def test_from_a_folder_whole_eyes_come(card: EyesCard, tmp_path: Path) -> None:
    source, models = lay(tmp_path / "stick", *FILES), tmp_path / "models"
    pull_eyes(card, models, say=print, source=source)
    pull_eyes(card, models, say=print, source=source)  # twice is once
    assert [state_of(models, network) for network in card.networks()] == ["here"] * 4


def test_one_encoder_is_enough_and_the_other_is_a_note(card: EyesCard, tmp_path: Path) -> None:
    for only in ("first", "second"):
        said: list[str] = []
        models = tmp_path / f"models-{only}"
        pull_eyes(card, models, say=said.append, source=lay(tmp_path / f"stick-{only}", "finder", "matter", only))
        assert not lacking(card, models)
        assert "without it" in said[-1]


def test_what_is_needed_is_named_and_the_rest_comes_anyhow(card: EyesCard, tmp_path: Path) -> None:
    source, models = lay(tmp_path / "stick", "matter", "second"), tmp_path / "models"
    with pytest.raises(PullFailed, match=r"finder\.onnx is not in"):
        pull_eyes(card, models, say=print, source=source)
    assert [n.file for n in lacking(card, models)] == ["finder.onnx"]
    with pytest.raises(PullFailed, match="--from"):  # no address, no folder
        pull_eyes(card, tmp_path / "none", say=print)


def test_a_file_that_is_cut_off_or_has_no_end_is_said_to_be(card: EyesCard, tmp_path: Path) -> None:
    """Over a network a broken answer looks like a short file; one without an end would fill the disk."""
    source, models = lay(tmp_path / "stick", *FILES), tmp_path / "models"
    for data, why in ((b"weights of", "cut off: 10 bytes of 17 bytes came"), (b"weights of matter!", "longer than")):
        (source / "matter.onnx").write_bytes(data)
        with pytest.raises(PullFailed, match=why):
            pull_eyes(card, models, say=print, source=source)
        assert not (models / "matter.onnx").exists()


def test_another_file_of_that_name_is_called_so_and_never_copied(card: EyesCard, tmp_path: Path) -> None:
    source, models = lay(tmp_path / "stick", *FILES), lay(tmp_path / "models", "finder")
    (source / "matter.onnx").write_bytes(b"another of matter")
    with pytest.raises(PullFailed, match="sha256"):
        pull_eyes(card, models, say=print, source=source)
    assert not (models / "matter.onnx").exists()
    (models / "finder.onnx").write_bytes(b"another")
    assert state_of(models, card.finder) == "another file"


def test_the_list_says_what_is_here_and_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_MODELS", str(tmp_path))
    (tmp_path / "face_detection_yunet_2023mar.onnx").write_bytes(b"another")
    said = CliRunner().invoke(app, ["models", "list"]).output
    assert "another file  face_detection_yunet_2023mar.onnx" in said
    assert f"cannot open yet. Files in {tmp_path}" in said
    assert "here          embedder.onnx" in said


def test_what_the_pull_puts_down_is_what_the_check_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path, real_models: Path
) -> None:
    monkeypatch.setenv("ROLLCALL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROLLCALL_EYES", "opencv")
    monkeypatch.chdir(tmp_path)  # not the repository: nothing may depend on where somebody stands
    roster = tmp_path / "roster.csv"
    roster.write_text("Employee ID,Name,Consent,Consent date,Headshot generation\n1,A B,yes,2026-01-01,no\n")
    (tmp_path / "selfies" / "1").mkdir(parents=True)
    (tmp_path / "selfies" / "1" / "a.jpg").write_bytes((photos / "d08_1.jpg").read_bytes())
    check = ["check", str(roster), str(tmp_path / "selfies")]
    before = CliRunner().invoke(app, check)
    assert before.exit_code == 1
    assert "models pull opencv" in before.output
    assert CliRunner().invoke(app, ["models", "pull", "opencv", "--accept", "--from", str(real_models)]).exit_code == 0
    after = CliRunner().invoke(app, check)
    assert after.exit_code == 0
    assert "1 ready" in after.output
