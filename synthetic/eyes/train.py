"""Trains the embedded eyes and writes `base_models/eyes/`:

    python -m synthetic.eyes.people --people 480 --frames 320 --out DIR/people     render who is learnt from
    python -m synthetic.eyes.train --data DIR/people --work DIR                    train and export all five nets
    python -m synthetic.eyes.fit --work DIR                                        thresholds, eyes.toml
    python -m synthetic.eyes.evaluate                                              the figures

Budgets are CPU minutes of one core. `--net NAME` trains one net, `--go-on` starts from its last weights, and
`--scale .01` tries the whole thing out in seconds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import torch
from torch import nn

from synthetic.eyes.export import export
from synthetic.eyes.learn_identity import learn_encoder, polish
from synthetic.eyes.learn_places import learn_finder, learn_landmarks, learn_matte
from synthetic.eyes.nets import Encoder, FinderNet, LandmarkNet, MatteNet
from tasks.shipped import SHIPPED
from tasks.vision.readers.embedded import ENCODER_SIDE, FINDER_SIDE, MATTE_SIDE, REFINE_SIDE

# CPU minutes, and what is written.
BUDGETS = {"finder": 5.0, "landmarks": 3.0, "matte": 4.0, "embedder": 6.0, "judge": 4.0}
EMBEDDER = {"width": 20, "depth": 1, "size": 128}
JUDGE = {"width": 18, "depth": 1, "size": 96}
HALVES = {"embedder": 0, "judge": 1}  # people by even and odd seeds


def build(name: str) -> nn.Module:
    """The untrained net of that name."""
    if name == "finder":
        return FinderNet()
    if name == "landmarks":
        return LandmarkNet()
    if name == "matte":
        return MatteNet()
    return Encoder(**(EMBEDDER if name == "embedder" else JUDGE))


def train_one(name: str, net: nn.Module, data: Path, work: Path, cpu_seconds: float, seed: int) -> None:
    """Dispatch by the kind of net; the embedder learns from even seeds, the judge from odd ones."""
    save = work / f"{name}.pt"
    if isinstance(net, FinderNet):
        learn_finder(data, net, cpu_seconds=cpu_seconds, seed=seed, save=save)
    elif isinstance(net, LandmarkNet):
        learn_landmarks(data, net, cpu_seconds=cpu_seconds, seed=seed, save=save)
    elif isinstance(net, MatteNet):
        learn_matte(data, net, cpu_seconds=cpu_seconds, seed=seed, save=save)
    elif isinstance(net, Encoder):
        half, size = HALVES[name], (EMBEDDER if name == "embedder" else JUDGE)["size"]
        learn_encoder(data, net, half=half, size=size, cpu_seconds=cpu_seconds, seed=seed + half * 1000, save=save)


def export_one(name: str, net: nn.Module, out: Path) -> None:
    """Write `out/name.onnx`."""
    side, outputs = {
        "finder": (FINDER_SIDE, ["heat", "geometry"]),
        "landmarks": (REFINE_SIDE, ["shifts", "face"]),
        "matte": (MATTE_SIDE, ["logit"]),
        "embedder": (ENCODER_SIDE, ["vector"]),
        "judge": (ENCODER_SIDE, ["vector"]),
    }[name]
    out.mkdir(parents=True, exist_ok=True)
    difference = export(net, out / f"{name}.onnx", side, outputs)
    count = sum(p.numel() for p in net.parameters())
    print(f"{name}.onnx: {count} parameters, onnxruntime differs by {difference:.1e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=SHIPPED / "base_models" / "eyes")
    parser.add_argument("--net", choices=[*BUDGETS, "all"], default="all")
    parser.add_argument("--go-on", action="store_true", help="begin with the weights in --work")
    parser.add_argument("--only-export", action="store_true", help="learn nothing; write the weights in --work")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    asked.work.mkdir(parents=True, exist_ok=True)
    for name in BUDGETS if asked.net == "all" else [asked.net]:
        torch.manual_seed(asked.seed + len(name))
        net = build(name)
        if asked.go_on or asked.only_export:
            net.load_state_dict(torch.load(asked.work / f"{name}.pt", weights_only=True), strict=False)
        if not asked.only_export:
            train_one(name, net, asked.data, asked.work, BUDGETS[name] * 60 * asked.scale, asked.seed)
        if isinstance(net, Encoder):
            polish(asked.data, net, half=HALVES[name], shots=2000, seed=asked.seed)
        export_one(name, net, asked.out)


if __name__ == "__main__":
    main()
