"""The training stages at a hundredth of their size: they run, survive being cut off, and end the same."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synthetic.training import latents, strands
from synthetic.training.autoencoder import draw_batch, train_vae
from synthetic.training.denoiser import train_unet
from synthetic.training.losses import Wishes
from synthetic.training.networks import SIZES, build_unet, build_vae
from synthetic.training.progress import Budget, half_pays, half_where_it_pays, learning_rate, load_checkpoint
from synthetic.training.run import main
from synthetic.training.shards import Portraits, list_shards, mirror_caption, read_portraits
from synthetic.training.vocabulary import write_tokenizer
from synthetic.training.widen import widen_unet, widen_vae

TINY = SIZES["tiny"]
CPU = torch.device("cpu")


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Two shards of 30 coloured squares with a caption each; person 0 is held out."""
    folder = tmp_path / "data"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(2):
        colours = random.integers(0, 256, (30, 1, 1, 3))
        np.savez(
            folder / f"shard-{number}.npz",
            picture=np.broadcast_to(colours, (30, 32, 32, 3)).astype(np.uint8),
            landmarks=np.tile(np.array([[13, 14], [19, 14], [16, 18], [14, 21], [18, 21]], np.float32), (30, 1, 1)),
            rough=np.full((30, 32, 32), 255, np.uint8),
            person=np.arange(30) + 30 * number,
            kind=np.array(["studio", "selfie"] * 15),
        )
        caption = "studio headshot of a person, plain blue background, softbox light from the left, navy suit"
        (folder / f"shard-{number}.json").write_text(json.dumps({"caption": [caption] * 30}))
    return folder


def test_a_half_written_shard_waits_and_held_out_people_are_never_trained_on(shards: Path) -> None:
    (shards / "shard-9.npz").write_bytes(b"half")
    assert len(list_shards([shards])) == 2
    assert set(read_portraits([shards], held_out=True).persons.tolist()) == {0, 50}
    assert not {0, 50} & set(read_portraits([shards], held_out=False).persons.tolist())


def test_a_mirrored_picture_is_lit_from_the_other_side() -> None:
    assert mirror_caption("light from the left, hair") == "light from the right, hair"
    assert mirror_caption(mirror_caption("left right")) == "left right"


def test_the_rate_warms_up_holds_and_ends_near_zero() -> None:
    rates = [learning_rate(1.0, Budget(steps=100, step=s), warm_up=10) for s in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[20] == 1.0
    assert rates[100] == pytest.approx(0.01)


WISHES = {"pixels": Wishes(), "judged": Wishes(spectrum=0.3, judge=0.5, eyes=2.0, since=0.0)}


@pytest.mark.parametrize("wishes", WISHES.values(), ids=WISHES.keys())
def test_an_autoencoder_that_was_cut_off_ends_with_the_same_weights(
    shards: Path, tmp_path: Path, wishes: Wishes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says how well it does on people whom it never saw."""
    monkeypatch.setattr(strands, "ALONE", 2)
    data, held = (read_portraits([shards], held_out=h) for h in (False, True))

    def run(folder: Path, *stops: int) -> dict[str, torch.Tensor]:
        for stop in stops:
            train_vae(
                data, TINY, folder, Stop(6, stop), seed=1, peak=1e-3, frames=4, device=CPU, wishes=wishes, held=held,
                save_every=99,
            )  # fmt: skip
        state = load_checkpoint(folder / "vae.pt")
        assert state is not None
        assert state["step"] == 6
        return dict(state["vae"])

    whole = run(tmp_path / "a", 6)
    told = capsys.readouterr().out
    resumed = run(tmp_path / "b", 3, 6)
    assert all(torch.allclose(whole[k], resumed[k], atol=1e-5) for k in whole)
    assert "vae step 6: whole" in told


def test_wishes_are_heard_by_encoder_and_decoder(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge's say reaches both, and eyes weigh as much as was wished."""
    monkeypatch.setattr(strands, "ALONE", 0)
    data = read_portraits([shards], held_out=False)

    def run(name: str, wishes: Wishes) -> dict[str, torch.Tensor]:
        budget = Budget(steps=1)
        train_vae(data, TINY, tmp_path / name, budget, seed=1, peak=1e-3, frames=4, device=CPU, wishes=wishes)
        return dict(load_checkpoint(tmp_path / name / "vae.pt")["vae"])

    plain = run("plain", Wishes(since=0.0))
    for name, wishes in (("judge", Wishes(judge=0.5, since=0.0)), ("eyes", Wishes(eyes=3.0, since=0.0))):
        other = run(name, wishes)
        assert not torch.equal(plain["encoder.conv_in.weight"], other["encoder.conv_in.weight"]), name
        assert not torch.equal(plain["decoder.conv_out.weight"], other["decoder.conv_out.weight"]), name


def test_crops_keep_pictures_and_hair_together() -> None:
    """The number of a cell of hair is written into the pixels that it stands for."""
    cells = np.arange(64, dtype=np.uint8).reshape(8, 8)
    pictures = np.broadcast_to(cells.repeat(8, 0).repeat(8, 1)[None, :, :, None], (3, 64, 64, 3))
    data = Portraits(
        pictures, np.full((3, 5, 2), 40, np.float32), ("",) * 3, np.arange(3), np.ones(3, np.bool_),
        np.broadcast_to(cells, (3, 8, 8)),
    )  # fmt: skip
    for seed in range(6):
        cut, weights, rough = draw_batch(data, 3, 32, np.random.default_rng(seed))
        assert cut.shape == (3, 3, 32, 32)
        assert weights.shape == (3, 1, 32, 32)
        assert torch.allclose((cut[:, :1, ::8, ::8] + 1) * 127.5, rough * 255, atol=1e-3)


def test_the_unet_resumes_where_it_was(shards: Path, tmp_path: Path) -> None:
    vae = build_vae(TINY)
    assert latents.encode_shards(vae, [shards], tmp_path / "latents", CPU) == 2
    assert latents.encode_shards(vae, [shards], tmp_path / "latents", CPU) == 0
    assert latents.encode_shards(vae, [shards], tmp_path / "latents", CPU, mirrored=True) == 2
    data = latents.read_latents(vae, tmp_path / "latents")
    assert len(data) == 120  # as they are and mirrored
    tokenizer = write_tokenizer(tmp_path / "tokenizer")

    def run(folder: Path, *stops: int) -> dict[str, torch.Tensor]:
        for stop in stops:  # a killed run leaves a checkpoint in the middle of its budget
            budget = Stop(6, stop)
            train_unet(data, tokenizer, TINY, folder, budget, seed=1, peak=1e-3, batch=4, device=CPU, save_every=99)
        state = load_checkpoint(folder / "unet.pt")
        assert state is not None
        assert state["step"] == 6
        return dict(state["ema_unet"])

    whole, resumed = run(tmp_path / "a", 6), run(tmp_path / "b", 3, 6)
    assert all(torch.allclose(whole[k], resumed[k], atol=1e-5) for k in whole)


class Stop(Budget):
    """A budget that is cut off at a step, as by a kill."""

    def __init__(self, steps: int, stop: int) -> None:
        super().__init__(steps=steps)
        self.stop = stop

    @property
    def over(self) -> bool:
        return self.step >= self.stop


def test_settled_channels_draw_the_same_and_have_size_one(shards: Path) -> None:
    torch.manual_seed(0)
    vae = build_vae(TINY)
    portraits = read_portraits([shards], held_out=False)
    pictures = torch.from_numpy(portraits.pictures[:8]).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        before = vae.decode(vae.encode(pictures).latent_dist.mean).sample
        raw = torch.cat([vae.encode(pictures).latent_dist.mean])
        latents.settle_channels(vae, raw)
        after = vae.decode(vae.encode(pictures).latent_dist.mean).sample
        settled = vae.encode(pictures).latent_dist.mean
    assert torch.allclose(before, after, atol=1e-3)
    assert settled.mean().abs() < 1e-3
    assert settled.var((0, 2, 3)).mean().sqrt() == pytest.approx(1, abs=0.05)


def test_a_widened_base_is_the_same_base_at_first() -> None:
    """And has room: every new channel carries something of the picture, and nothing looks at it yet."""
    torch.manual_seed(0)
    wide_sizes = replace(TINY, latent_channels=6)
    narrow, wide = build_vae(TINY).eval(), build_vae(wide_sizes).eval()
    widen_vae(narrow, wide)
    unet, wide_unet = build_unet(TINY).eval(), build_unet(wide_sizes).eval()
    wide_unet.load_state_dict(widen_unet(unet.state_dict(), wide_unet))
    pictures = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        few, many = narrow.encode(pictures).latent_dist, wide.encode(pictures).latent_dist
        assert torch.allclose(many.mean[:, :4], few.mean, atol=1e-5)
        assert torch.allclose(many.std[:, :4], few.std, atol=1e-5)
        assert (many.mean[:, 4:].std((0, 2, 3)) > 1e-3).all()
        assert torch.allclose(wide.decode(many.mean).sample, narrow.decode(few.mean).sample, atol=1e-5)
        told = torch.randn(2, 5, TINY.text_width)
        made = wide_unet(many.mean, 500, told).sample
        assert torch.allclose(made[:, :4], unet(few.mean, 500, told).sample, atol=1e-5)
        assert (made[:, 4:] == 0).all()


def test_settling_added_channels_leaves_the_others_alone(shards: Path) -> None:
    torch.manual_seed(0)
    vae = build_vae(TINY)
    pictures = torch.from_numpy(read_portraits([shards], held_out=False).pictures[:8]).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        before, drawn = vae.encode(pictures).latent_dist.mean, vae(pictures).sample
        latents.settle_channels(vae, before, kept=1)
        after = vae.encode(pictures).latent_dist.mean
        assert torch.equal(after[:, :1], before[:, :1])
        assert after[:, 1:].var((0, 2, 3)).mean().sqrt() == pytest.approx(latents.DETAIL, abs=0.05)
        assert torch.allclose(vae(pictures).sample, drawn, atol=1e-3)


@pytest.mark.slow
def test_all_stages_by_command_end_in_a_folder_for_the_stock_pipeline(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import StableDiffusionPipeline

    work, out = tmp_path / "work", tmp_path / "embedded"
    tiny = ["--data", str(shards), "--work", str(work), "--sizes", "tiny", "--batch", "4", "--device", "cpu"]
    main(["vae", *tiny, "--steps", "3", "--judge", "0.4", "--spectrum", "0.3", "--eyes", "2"])
    main(["latents", *tiny])
    main(["unet", *tiny, "--steps", "3"])
    main(["decoder", *tiny, "--steps", "2"])
    main(["sheet", *tiny, "--out", str(tmp_path / "sheet.png")])
    main(["export", *tiny, "--out", str(out)])
    main(["adopt", "--sizes", "tiny", "--work", str(tmp_path / "next"), "--out", str(out)])
    main(["latents", *tiny, "--work", str(tmp_path / "next")])
    main(["unet", *tiny, "--work", str(tmp_path / "next"), "--steps", "2"])
    monkeypatch.setitem(SIZES, "wider", replace(TINY, latent_channels=6))
    wider = [*tiny, "--sizes", "wider", "--work", str(tmp_path / "wider")]
    main(["adopt", *wider, "--out", str(out)])
    for stage, more in (("vae", ["--steps", "2"]), ("latents", []), ("unet", ["--steps", "2"])):
        main([stage, *wider, *more])
    main(["export", *wider, "--out", str(out)])
    pipeline = StableDiffusionPipeline.from_pretrained(out, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("studio headshot of a sks person", num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (32, 32, 3)
    assert np.isfinite(picture).all()


def test_half_precision_is_for_processors_that_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others imitate it: a step of the decoder took ten times as long on a processor without it."""
    for able, wanted in (
        ({}, False),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"avx2": True}, False),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda able=able: able)
        with half_where_it_pays(CPU):
            made = torch.ones(2, 2) @ torch.ones(2, 2)
        assert made.dtype == (torch.bfloat16 if wanted else torch.float32)
    assert half_pays(torch.device("cuda"))
