"""A base that draws twice as wide at the same price: it begins as what it was, and every stage can be cut off."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from torch.nn import functional

from synthetic.training import enlarge, larger_decoder, larger_encoder, strands
from synthetic.training.larger import grow_vae, halved
from synthetic.training.losses import Wishes
from synthetic.training.networks import SIZES, Vae, build_scheduler, build_text, build_unet, build_vae
from synthetic.training.progress import Budget, load_checkpoint
from synthetic.training.shards import batch_of, read_portraits
from synthetic.training.texture import kept_structure, texture_loss
from synthetic.training.vocabulary import write_tokenizer
from tasks.vision.diffusion import open_base
from tasks.vision.diffusion_card import load_base_card
from tasks.vision.weights import fingerprint_of

LARGE = SIZES["tiny-crisp"]
SMALL = replace(LARGE, pixels=32, vae_channels=LARGE.vae_channels[1:])
CPU = torch.device("cpu")


class Stop(Budget):
    """A budget that is cut off at a step, as by a kill."""

    def __init__(self, steps: int, stop: int) -> None:
        super().__init__(steps=steps)
        self.stop = stop

    @property
    def over(self) -> bool:
        return self.step >= self.stop


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole base of random weights for 32 px, as `run export` leaves one."""
    folder = tmp_path_factory.mktemp("bases") / "tiny"
    torch.manual_seed(0)
    tokenizer = write_tokenizer(folder / "tokenizer")
    StableDiffusionPipeline(
        vae=build_vae(SMALL), tokenizer=tokenizer,
        text_encoder=build_text(SMALL, len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id),
        unet=build_unet(SMALL), scheduler=build_scheduler(), safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)  # fmt: skip
    return folder


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """30 smooth pictures of 64 px of as many people; person 0 is held out. Half of each counts as hair."""
    folder = tmp_path / "data"
    folder.mkdir()
    random = np.random.default_rng(0)
    coarse = torch.from_numpy(random.uniform(0, 255, (30, 3, 5, 5)).astype(np.float32))
    pictures = functional.interpolate(coarse, size=64, mode="bicubic").clamp(0, 255).byte().permute(0, 2, 3, 1)
    rough = np.zeros((30, 64, 64), np.uint8)
    rough[:, :32] = 255
    np.savez(
        folder / "shard-0.npz", picture=pictures.numpy(), rough=rough, person=np.arange(30),
        kind=np.array(["studio"] * 30),
        landmarks=np.tile(np.array([[26, 28], [38, 28], [32, 36], [28, 42], [36, 42]], np.float32), (30, 1, 1)),
    )  # fmt: skip
    caption = "studio headshot of a person, plain blue background, softbox light from the left, navy suit"
    (folder / "shard-0.json").write_text(json.dumps({"caption": [caption] * 30}))
    return folder


def pictures_of(shards: Path) -> torch.Tensor:
    return batch_of(read_portraits([shards], held_out=False), range(8))[0]


def test_what_is_grown_is_the_same_autoencoder_at_first(shards: Path) -> None:
    torch.manual_seed(0)
    small, large = build_vae(SMALL).eval(), build_vae(LARGE).eval()
    fresh = large.encode(pictures_of(shards)).latent_dist.mean
    grow_vae(small, large)
    pictures = pictures_of(shards)
    with torch.no_grad():
        wanted, written = (v.encode(x).latent_dist.mean for v, x in ((small, halved(pictures)), (large, pictures)))
        drawn, enlarged = large.decode(wanted).sample, small.decode(wanted).sample
    energy = (wanted**2).mean()
    assert ((written - wanted) ** 2).mean() < 0.01 * energy
    assert ((fresh - wanted) ** 2).mean() > 0.1 * energy  # which is not so by itself
    assert drawn.shape[-1] == 2 * enlarged.shape[-1]
    together = np.corrcoef(halved(drawn).flatten().numpy(), enlarged.flatten().numpy())[0, 1]
    assert together > 0.8


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="behind one more level"):
        grow_vae(build_vae(SIZES["tiny"]), build_vae(LARGE))


def test_strands_may_lie_elsewhere_but_must_not_be_gone() -> None:
    torch.manual_seed(0)
    strands = torch.rand(1, 1, 1, 64).expand(1, 3, 64, 64).mul(2).sub(1).contiguous()
    everywhere, nowhere = torch.ones(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    moved, smear = strands.roll(8, 3), functional.avg_pool2d(strands, 9, 1, 4)
    assert texture_loss(moved, strands, everywhere) < 0.4 * texture_loss(smear, strands, everywhere)
    assert texture_loss(smear, strands, nowhere) == 0
    assert kept_structure(strands, strands, everywhere) == pytest.approx(1)
    assert kept_structure(smear, strands, everywhere) < 0.2


def test_an_encoder_that_was_cut_off_ends_the_same_and_nearer(base: Path, shards: Path, tmp_path: Path) -> None:
    teacher = enlarge.open_teacher(base, LARGE)
    data, held = (read_portraits([shards], held_out=h) for h in (False, True))

    def run(folder: Path, *stops: int) -> Vae:
        for stop in stops:
            done = larger_encoder.train_encoder(
                teacher.vae, enlarge.grown(teacher, LARGE), data, held, folder, Stop(8, stop), seed=1, peak=1e-3,
                frames=4, device=CPU, save_every=99,
            )  # fmt: skip
        return done

    whole, resumed = run(tmp_path / "a", 8), run(tmp_path / "b", 3, 8)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
    before = larger_encoder.gap(teacher.vae, enlarge.grown(teacher, LARGE).eval(), held)
    assert larger_encoder.gap(teacher.vae, whole.eval(), held) < before


WISHES = {
    "contrast": Wishes(texture=0.3),
    "judged": Wishes(spectrum=0.3, judge=0.5, eyes=2.0, since=0.0),
}


@pytest.mark.parametrize("wishes", WISHES.values(), ids=WISHES.keys())
def test_a_decoder_that_was_cut_off_ends_the_same(
    base: Path, shards: Path, tmp_path: Path, wishes: Wishes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strands, "ALONE", 3)
    teacher = enlarge.open_teacher(base, LARGE)
    data, held = (read_portraits([shards], held_out=h) for h in (False, True))
    encoder = {k: v.clone() for k, v in enlarge.grown(teacher, LARGE).encoder.state_dict().items()}

    def run(folder: Path, *stops: int) -> Vae:
        for stop in stops:
            done = larger_decoder.train_decoder(
                teacher, enlarge.grown(teacher, LARGE), data, held, folder, Stop(8, stop), seed=1, peak=1e-3, frames=4,
                wishes=wishes, device=CPU, save_every=99,
            )  # fmt: skip
        return done

    whole, resumed = run(tmp_path / "a", 8), run(tmp_path / "b", 5, 8)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
    assert all(torch.equal(whole.encoder.state_dict()[k], v) for k, v in encoder.items())
    assert not torch.equal(whole.decoder.conv_out.weight, teacher.vae.decoder.conv_out.weight)


def test_a_quarter_of_the_latents_is_what_the_denoiser_draws(base: Path, shards: Path) -> None:
    teacher, random = enlarge.open_teacher(base, LARGE), np.random.default_rng(0)
    pictures = pictures_of(shards)
    with torch.no_grad():
        clean = teacher.vae.encode(halved(pictures)).latent_dist.mean
    latents = larger_decoder.latents_to_learn(teacher, pictures, ["a person"] * 8, random)
    away = ((latents - clean) ** 2).mean((1, 2, 3)).sqrt()
    assert (away[2:] <= larger_decoder.LARGEST_NOISE * 1.2).all()
    assert (away[:2] > 0).all()


def test_crops_keep_latents_pictures_and_hair_together(shards: Path) -> None:
    """A latent cell's number is written into the pixels it stands for."""
    cells = torch.arange(256.0).view(1, 1, 16, 16).repeat(2, 1, 1, 1)
    pictures = cells.repeat_interleave(4, 2).repeat_interleave(4, 3)
    rough, marks = pictures[..., ::8, ::8], torch.full((2, 5, 2), 40.0)
    for seed in range(4):
        z, cut, weights, hair = larger_decoder.quarters(
            cells, pictures, pictures, rough, marks, np.random.default_rng(seed)
        )
        assert torch.equal(cut[..., ::4, ::4], z)
        assert torch.equal(weights, cut)
        assert torch.equal(hair, cut[..., ::8, ::8])


def test_the_larger_base_is_switched_on_and_off_by_one_line(base: Path, shards: Path, tmp_path: Path) -> None:
    """All stages by the command line; the stock pipeline opens what they leave, and the card chooses who draws."""
    bases, work = tmp_path / "bases", tmp_path / "work"
    shutil.copytree(base, bases / "tiny")
    usual = ["--base", str(bases / "tiny"), "--work", str(work), "--sizes", "tiny-crisp"]
    learning = [*usual, "--data", str(shards), "--steps", "2", "--frames", "4"]
    enlarge.main(["encoder", *learning])
    enlarge.main(["decoder", *learning])
    before = (bases / "tiny" / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    for _ in range(2):  # a second time is no other base, and loses nothing
        enlarge.main(["export", *usual, "--out", str(bases / "tiny")])
    assert (bases / "tiny" / "unet" / "diffusion_pytorch_model.safetensors").read_bytes() == before
    stock = StableDiffusionPipeline.from_pretrained(bases / "tiny", local_files_only=True, dtype=torch.float32)
    stock.set_progress_bar_config(disable=True)
    assert stock("a person", num_inference_steps=2, output_type="np").images[0].shape == (64, 64, 3)
    card = 'title = "Tiny"\nfamily = "sd"\npath = "tiny"\nlicence = "MIT"\ncommercial_use = true\nlatent_channels = 4\n'
    marks = {}
    for line, side in (("", 64), ('vae = "vae-32"\n', 32)):
        (bases / "tiny.toml").write_text(card + line)
        read = load_base_card("tiny", bases)
        assert (read.resolution, read.latent_factor) == (side, side // 16)
        opened = open_base(read, device="cpu")
        assert opened.decode(torch.zeros(1, 4, 16, 16))[0].shape == (side, side, 3)
        assert opened.fingerprint == fingerprint_of(read)
        marks[side] = opened.fingerprint
    assert marks[32] != marks[64]
    assert load_checkpoint(work / "decoder.pt")["step"] == 2
    enlarge.main(["measure", *usual, "--data", str(shards)])  # goes on against the smaller one


def test_a_base_that_draws_large_is_trained_further_from_what_ships(
    base: Path, shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the checkpoints of the stages before, which nobody has to keep."""
    bases, work = tmp_path / "bases", tmp_path / "work"
    shutil.copytree(base, bases / "tiny")
    usual = ["--base", str(bases / "tiny"), "--sizes", "tiny-crisp"]
    learning = ["--data", str(shards), "--steps", "2", "--frames", "4"]
    for stage in ("encoder", "decoder"):
        enlarge.main([stage, *usual, *learning, "--work", str(work)])
    enlarge.main(["export", *usual, "--work", str(work), "--out", str(bases / "tiny")])
    there = enlarge.shipped(bases / "tiny", LARGE)
    assert there is not None
    start = enlarge.begun(bases / "tiny", enlarge.open_teacher(bases / "tiny", LARGE), LARGE)
    assert all(torch.equal(a, b) for a, b in zip(there.parameters(), start.parameters(), strict=True))
    further = ["--work", str(tmp_path / "other"), "--judge", "0.5", "--spectrum", "0.3", "--since", "0"]
    enlarge.main(["decoder", *usual, *learning, *further])
    capsys.readouterr()
    enlarge.main(["measure", *usual, "--data", str(shards), "--work", str(tmp_path / "other")])
    told = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines() if ":" in line)
    assert list(told) == ["enlarged", "as it ships", "trained"]
    assert told["as it ships"] != told["trained"]
    now = enlarge.finished(bases / "tiny", enlarge.open_teacher(bases / "tiny", LARGE), LARGE, tmp_path / "other")
    assert all(torch.equal(a, b) for a, b in zip(there.encoder.parameters(), now.encoder.parameters(), strict=True))
    assert not torch.equal(there.decoder.conv_out.weight, now.decoder.conv_out.weight)
