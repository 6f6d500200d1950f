"""The frozen base: opened from its folder, encoding alike in any company, known by its weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.random_bases import write_random_base
from tasks.vision.diffusion import FrozenBase, UnknownBase, load_base_card, open_base, pictures, pixels
from tasks.vision.families.family import Conditions
from tasks.vision.weights import fingerprint


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> FrozenBase:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("bases")
    write_random_base(folder, "tiny", "sd-v")
    return open_base(load_base_card("tiny", folder), device="cpu")


def test_latents_of_a_picture_do_not_depend_on_the_others(base: FrozenBase) -> None:
    rng = np.random.default_rng(0)
    many = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(11)]
    together, alone = base.encode_pictures(many), base.encode_pictures([many[9]])
    assert torch.equal(together.mean[9], alone.mean[0])
    assert torch.equal(together.std[9], alone.std[0])
    assert together.mean.shape == (11, *base.family.latent_shape(16))


def test_each_prompt_is_encoded_once_and_lands_where_it_belongs(base: FrozenBase) -> None:
    mixed = base.encode_prompts(["a", "b", "a"])
    assert len(mixed) == 3
    assert torch.equal(mixed.tensors["text"][0], mixed.tensors["text"][2])
    assert torch.equal(mixed.tensors["text"][1], base.encode_prompts(["b"]).tensors["text"][0])


def test_places_stay_whole_numbers_in_half_precision() -> None:
    places = Conditions({"text": torch.zeros(1, 2), "places": torch.arange(512)[None]})
    half = places.to(torch.device("cpu"), torch.bfloat16)
    assert half.tensors["text"].dtype == torch.bfloat16
    assert torch.equal(half.tensors["places"], places.tensors["places"])


def test_pixels_go_there_and_back() -> None:
    picture = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    assert np.array_equal(pictures(pixels([picture]))[0], picture)
    assert pictures(torch.full((1, 3, 2, 2), float("nan")))[0].tolist() == [[[128] * 3] * 2] * 2


def test_other_weights_have_another_fingerprint(base: FrozenBase, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    weights = load_file(base.card.folder / "vae" / "diffusion_pytorch_model.safetensors")
    save_file(weights, folder / "model.safetensors")
    loaded = ["model.safetensors"]
    before = fingerprint(folder, loaded)
    assert fingerprint(folder, loaded) == before
    (folder / "vae-64").mkdir()
    save_file(weights, folder / "vae-64" / "model.safetensors")
    assert fingerprint(folder, loaded) == before  # another autoencoder, which this base does not use
    assert fingerprint(folder, [*loaded, "vae-64/model.safetensors"]) != before
    (folder / "vae-64" / "model.safetensors").unlink()
    next(iter(weights.values())).view(-1)[0] += 1
    save_file(weights, folder / "model.safetensors")
    assert fingerprint(folder, loaded) != before


def test_a_missing_folder_says_how_to_get_it(base: FrozenBase, tmp_path: Path) -> None:
    with pytest.raises(UnknownBase, match="restore the folder"):
        open_base(base.card.model_copy(update={"folder": tmp_path}))
    fetched = {"folder": tmp_path, "repository": "tiny/base", "revision": "0" * 40, "path": None}
    with pytest.raises(UnknownBase, match="rollcall models pull tiny"):
        open_base(base.card.model_copy(update=fetched))


def test_training_times_cover_the_whole_walk(base: FrozenBase) -> None:
    times = base.family.times(torch.tensor([0.0, 0.5, 0.9999999]))
    assert times.tolist() == [0, 500, 999]
    noise = torch.randn(3, 4, 8, 8)
    noisy = base.family.corrupt(torch.zeros_like(noise), noise, times)
    assert torch.allclose(noisy.sample[2], noise[2])  # zero terminal SNR: pure noise at the end
    assert bool((noisy.weight > 0).all())


EXHAUSTED = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError("cuBLAS error: CUBLAS_STATUS_ALLOC_FAILED"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
]


@pytest.mark.parametrize("error", EXHAUSTED)
def test_short_of_memory_fewer_are_encoded_and_decoded_at_once_and_all_of_them(
    base: FrozenBase, error: RuntimeError, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    many = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(5)]
    prompts = [f"prompt {number}" for number in range(5)]
    latents, told = base.encode_pictures(many), base.encode_prompts(prompts)
    drawn = base.decode(latents.mean)

    def short(name: str, most: int) -> None:
        real = getattr(base.family, name)

        def tried(items: torch.Tensor) -> object:
            if len(items) > most:
                raise error
            return real(items)

        monkeypatch.setattr(base.family, name, tried)

    for name in ("encode_pictures", "encode_prompts", "decode"):
        short(name, 1)
    assert torch.allclose(base.encode_pictures(many).mean, latents.mean, atol=1e-5)
    assert torch.allclose(base.encode_prompts(prompts).tensors["text"], told.tensors["text"], atol=1e-5)
    assert np.abs(np.stack(base.decode(latents.mean)).astype(int) - np.stack(drawn)).max() <= 1
    for name in ("encode_pictures", "encode_prompts", "decode"):
        short(name, 0)
    for hopeless in (lambda: base.encode_pictures(many), lambda: base.encode_prompts(prompts)):
        with pytest.raises(RuntimeError, match=r"(?i)memory|alloc"):
            hopeless()


def test_what_is_no_want_of_memory_is_not_tried_again(base: FrozenBase, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def broken(items: torch.Tensor) -> None:
        tries.append(len(items))
        raise RuntimeError("shapes differ")

    for name in ("encode_pictures", "encode_prompts", "decode"):
        monkeypatch.setattr(base.family, name, broken)
    picture = np.zeros((16, 16, 3), np.uint8)
    for call in (
        lambda: base.encode_pictures([picture] * 3),
        lambda: base.encode_prompts(["a"]),
        lambda: base.decode(torch.zeros(3, *base.family.latent_shape(16))),
    ):
        with pytest.raises(RuntimeError, match="shapes differ"):
            call()
    assert len(tries) == 3


def test_encoders_that_came_before_there_was_no_room_go_back(base: FrozenBase, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that stays half full of text encoders has no room for anybody's smaller attempt."""

    class Encoder:
        def __init__(self, fits: bool) -> None:
            self.fits, self.place = fits, "cpu"

        def to(self, place: object) -> None:
            if str(place) != "cpu" and not self.fits:
                raise torch.OutOfMemoryError("CUDA out of memory")
            self.place = str(place)

    text, vae = Encoder(True), Encoder(False)
    monkeypatch.setattr(type(base.family), "encoders", [text, vae])
    monkeypatch.setattr(base, "device", torch.device("meta"))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    with pytest.raises(torch.OutOfMemoryError), base.encoders():
        pytest.fail("nothing is encoded with half of the encoders")
    assert (text.place, vae.place) == ("cpu", "cpu")


def test_sdxl_draws_its_last_steps_and_decodes_as_its_makers_say(tmp_path: Path) -> None:
    """Plain DPM++ leaves artefacts in 20 steps, and the autoencoder overflows in half precision."""
    write_random_base(tmp_path, "tiny", "sdxl")
    sdxl = open_base(load_base_card("tiny", tmp_path), device="cpu", dtype="bfloat16")
    told = sdxl.sampler(4, 16).scheduler.config
    assert (told.algorithm_type, told.use_karras_sigmas, told.euler_at_final) == ("dpmsolver++", True, True)
    assert sdxl.family.pipeline.vae.dtype == torch.bfloat16
    sdxl.decode(torch.zeros(1, *sdxl.family.latent_shape(16)))
    assert sdxl.family.pipeline.vae.dtype == torch.float32
