"""Stage `latents`: every portrait through the encoder once, as it is or (`--mirrored`) mirrored.

Promise: the encoder's channels are first rotated and scaled (exactly, inside the autoencoder's own 1x1 convolutions)
so that latents have mean 0 and size 1, with the strong directions a little stronger: a denoiser learns those first.
Done shards are kept, so that the stage can be cut off, and run again when more shards have been painted.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from synthetic.training.networks import Vae
from synthetic.training.progress import half_where_it_pays
from synthetic.training.shards import HELD_OUT_EVERY, Portraits, list_shards, mirror_caption, read_shard

EVENING = 0.7  # 0 keeps the strength of each direction, 1 makes all directions equally strong
DETAIL = 0.4  # size of channels that were added for detail: small, so that noise hides them until the face stands


@dataclass(frozen=True)
class LatentSet:
    """Rows of latents with their captions; mirrored copies are rows of their own."""

    latents: Tensor  # (N, C, h, w) float16
    captions: tuple[str, ...]
    studio: Tensor  # (N,) bool
    persons: Tensor  # (N,) int64

    def __len__(self) -> int:
        return len(self.captions)

    def only(self, keep: Tensor) -> "LatentSet":
        rows = keep.nonzero()[:, 0]
        captions = tuple(self.captions[i] for i in rows.tolist())
        return LatentSet(self.latents[rows], captions, self.studio[rows], self.persons[rows])

    def held_out(self) -> "LatentSet":
        return self.only(self.persons % HELD_OUT_EVERY == 0)

    def training(self) -> "LatentSet":
        return self.only(self.persons % HELD_OUT_EVERY != 0)


@torch.no_grad()
def encode(vae: Vae, portraits: Portraits, device: torch.device, *, mirrored: bool) -> Tensor:
    """Means of the latents, (N, C, h, w)."""
    out = []
    for start in range(0, len(portraits), 32):
        x = torch.from_numpy(portraits.pictures[start : start + 32]).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        x = (x.flip(3) if mirrored else x).contiguous().to(device)
        with half_where_it_pays(device):
            moments = vae.quant_conv(vae.encoder(x))
        out.append(moments.float().chunk(2, 1)[0].cpu())
    return torch.cat(out)


@torch.no_grad()
def settle_channels(vae: Vae, sample: Tensor, kept: int = 0) -> None:
    """Rotates and scales the latent channels inside the autoencoder; what it draws stays the same.

    `sample` holds latents (N, C, h, w) of the autoencoder as it is. The first `kept` channels stay as they are, and the
    others were added to them for detail.
    """
    channels = sample.shape[1]
    flat = sample[:, kept:].movedim(1, 0).reshape(channels - kept, -1).double()
    mean, forward, backward = torch.zeros(channels).double(), torch.eye(channels).double(), torch.eye(channels).double()
    mean[kept:] = flat.mean(1)
    strengths, directions = torch.linalg.eigh(torch.cov(flat))
    strengths, directions = strengths.flip(0).clamp_min(1e-8), directions.flip(1)
    scale = strengths ** (-EVENING / 2)
    scale = scale / (strengths * scale**2).mean().sqrt() * (DETAIL if kept else 1.0)
    forward[kept:, kept:] = scale[:, None] * directions.T  # z' = forward (z - mean)
    backward[kept:, kept:] = directions / scale[None, :]  # z = backward z' + mean
    into, out = vae.quant_conv, vae.post_quant_conv
    weight, bias = into.weight[:channels, :, 0, 0].double(), into.bias[:channels].double()
    into.weight[:channels, :, 0, 0] = (forward @ weight).float()
    into.bias[:channels] = (forward @ (bias - mean)).float()
    into.weight[channels:] = 0
    into.bias[channels:] = -7.0  # log variance: the little noise it was trained with; nothing depends on it
    weight, bias = out.weight[:, :, 0, 0].double(), out.bias.double()
    out.weight[:, :, 0, 0] = (weight @ backward).float()
    out.bias.copy_((bias + weight @ mean).float())


def encoder_mark(vae: Vae) -> str:
    """Changes whenever the encoder's weights do; latents of another encoder are never mixed in."""
    digest = hashlib.sha256()
    for part in (vae.encoder, vae.quant_conv):
        for tensor in part.state_dict().values():
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def encode_shards(
    vae: Vae, folders: list[Path], out: Path, device: torch.device, share: tuple[int, int] = (0, 1),
    *, mirrored: bool = False,
) -> int:  # fmt: skip
    """Encodes the shards that are not encoded yet, as they are or mirrored; returns how many were."""
    mark, done = encoder_mark(vae), 0
    out.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(list_shards(folders)):
        target = out / f"{mark}-{path.parent.name}-{path.stem}{'-mirrored' if mirrored else ''}.pt"
        if number % share[1] != share[0] or target.exists():
            continue
        shard = read_shard(path)
        state = {
            "latents": encode(vae, shard, device, mirrored=mirrored).half(),
            "captions": [mirror_caption(c) if mirrored else c for c in shard.captions],
            "studio": torch.from_numpy(shard.studio), "persons": torch.from_numpy(shard.persons),
        }  # fmt: skip
        partial = target.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, target)
        done += 1
    return done


def read_latents(vae: Vae, folder: Path) -> LatentSet:
    """All latents that this encoder made."""
    states = [torch.load(p, weights_only=True) for p in sorted(folder.glob(f"{encoder_mark(vae)}-*.pt"))]
    if not states:
        raise FileNotFoundError("no latents of this encoder: run the stage `latents` first")
    return LatentSet(
        torch.cat([s["latents"] for s in states]),
        tuple(c for s in states for c in s["captions"]),
        torch.cat([s["studio"] for s in states]),
        torch.cat([s["persons"] for s in states]),
    )
