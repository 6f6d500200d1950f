"""Writes down one step of the unmodified official training scripts: what the tests hold the families against.

    python -m benchmarks.official_step SCRIPTS [--into tests/adapters/official]

SCRIPTS is `examples/dreambooth` of diffusers' sources, which are not ours to ship; torchvision, which they import, must
be installed. Each script trains a tiny base with random weights on two pictures, in a process of its own that listens:
to the pixels it encodes, the latents and the noise it draws, the times it hands to the denoiser, and to loss, adapter
and gradients of the third update (until the first, an adapter's B is zero and so is its A's gradient). Nothing of the
script is changed, and nothing of ours is asked.
"""

import argparse
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.official import ATTENTION
from benchmarks.random_bases import ARCHITECTURES, Architecture, write_random_base

PROMPT = "selfie photo of a sks person"
RANK, SEED = 4, 5
RATE = 1e-2  # so high that the adapter's B is far from zero after two updates
LISTENED = 3  # the update that is written down
LISTEN = "--listen"
SCRIPTS: dict[Architecture, str] = {
    "sd": "train_dreambooth_lora.py", "sd-v": "train_dreambooth_lora.py", "sdxl": "train_dreambooth_lora_sdxl.py",
    "flux2-klein": "train_dreambooth_lora_flux2_klein.py", "z-image": "train_dreambooth_lora_z_image.py",
}  # fmt: skip
FLOW = ["--lora_layers", ",".join(ATTENTION), "--lora_alpha", str(RANK), "--max_sequence_length", "96"]
MORE: dict[Architecture, list[str]] = {
    "flux2-klein": [*FLOW, "--text_encoder_out_layers", "1", "2", "3"],
    "z-image": FLOW,
}


class Heard:
    """What a script said while it trained."""

    def __init__(self) -> None:
        self.denoiser: Any = None
        self.tensors: dict[str, Tensor] = {}
        self.updates = 0

    def note(self, name: str, tensor: Tensor) -> None:
        self.tensors[name] = tensor.detach().float().clone().contiguous()

    def adapter_added(self, model: nn.Module) -> None:
        self.denoiser = model
        model.register_forward_pre_hook(self._called, with_kwargs=True)

    def _called(self, _: nn.Module, words: Any, named: dict[str, Any]) -> None:
        self.note("times", named["timestep"] if "timestep" in named else words[1])

    def step_taken(self, loss: Tensor) -> bool:
        """Whether that was the update to write down, whose gradients now stand at the adapter."""
        self.updates += 1
        if self.updates < LISTENED:
            return False
        self.note("loss", loss.reshape(1))
        for name, one in self.denoiser.named_parameters():
            if "lora_" in name:
                self.note(f"adapter.{name.replace('.default', '')}", one)
                self.note(f"gradient.{name.replace('.default', '')}", one.grad)
        return True


def listen(script: Path, into: Path, words: Sequence[str]) -> None:
    """Runs the script in this process and writes what was heard; ends the process at the update that is wanted."""
    import accelerate
    from diffusers.loaders.peft import PeftAdapterMixin
    from diffusers.models import AutoencoderKL, AutoencoderKLFlux2

    heard = Heard()

    def before(owner: Any, name: str, act: Callable[..., None]) -> None:
        usual = getattr(owner, name)

        def listened(*args: Any, **named: Any) -> Any:
            act(*args)
            return usual(*args, **named)

        setattr(owner, name, listened)

    def backward(accelerator: Any, loss: Tensor, **named: Any) -> None:
        usual_backward(accelerator, loss, **named)
        if heard.step_taken(loss):
            save_file(heard.tensors, into, {"script": sha256(script.read_bytes()).hexdigest()})
            os._exit(0)

    before(PeftAdapterMixin, "add_adapter", lambda model, *_: heard.adapter_added(model))
    for autoencoder in (AutoencoderKL, AutoencoderKLFlux2):
        before(autoencoder, "encode", lambda _, pixels, *__: heard.note("pixels", pixels))
    usual_noise = torch.randn_like

    def noise(latents: Tensor, **named: Any) -> Tensor:
        drawn = usual_noise(latents, **named)
        heard.note("latents", latents)
        heard.note("noise", drawn)
        return drawn

    torch.randn_like = noise
    usual_backward = accelerate.Accelerator.backward
    accelerate.Accelerator.backward = backward
    sys.argv = [str(script), *words]
    runpy.run_path(str(script), run_name="__main__")


def capture(script: Path, architecture: Architecture, into: Path) -> None:
    """One architecture's step in `into`. SystemExit where the script fails, with its last words."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        write_random_base(place, "tiny", architecture)
        (place / "photos").mkdir()
        picture = np.random.default_rng(SEED).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
        for number, pixels in enumerate(picture):
            Image.fromarray(pixels).save(place / "photos" / f"{number}.png")
        told = {
            "pretrained_model_name_or_path": place / "tiny", "instance_data_dir": place / "photos",
            "instance_prompt": PROMPT, "resolution": 16, "train_batch_size": 2, "max_train_steps": LISTENED,
            "rank": RANK, "learning_rate": RATE, "lr_scheduler": "constant", "lr_warmup_steps": 0, "seed": SEED,
            "output_dir": place / "out", "mixed_precision": "no",
        }  # fmt: skip
        words = [part for n, v in told.items() for part in (f"--{n}", str(v))] + MORE.get(architecture, [])
        inside = [sys.executable, "-m", "benchmarks.official_step", LISTEN, str(script), str(into), *words]
        run = subprocess.run(
            inside, capture_output=True, text=True, check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        if run.returncode:
            raise SystemExit(f"{script.name} ended with {run.returncode}:\n{run.stderr[-3000:]}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == [LISTEN]:  # a process of our own
        listen(Path(given[1]), Path(given[2]), given[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", type=Path)
    parser.add_argument("--into", type=Path, default=Path("tests/adapters/official"))
    parser.add_argument("--only", choices=ARCHITECTURES, nargs="+", default=list(ARCHITECTURES))
    args = parser.parse_args(given)
    args.into.mkdir(parents=True, exist_ok=True)
    for architecture in args.only:
        into = args.into / f"{architecture}.safetensors"
        capture(args.scripts / SCRIPTS[architecture], architecture, into)
        found = load_file(into)
        print(f"{architecture}: loss {float(found['loss']):.6f}, {len(found)} tensors, {into.stat().st_size} bytes")


if __name__ == "__main__":
    main()
