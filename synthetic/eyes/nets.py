"""The five small networks, each under 3 MB as ONNX, all taking float32 (N, 3, H, W) in -1..1.

Plain 3x3 convolutions with batch norm: depthwise ones have fewer operations but are slower on a CPU, in training and
in onnxruntime alike.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def _conv(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """x + f(x): lets the deeper nets start as shallow ones."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(self.first(x)))


class FinderNet(nn.Module):
    """Heat map of face centres and their geometry at stride 4; sees the whole picture through a 1/32 middle."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _conv(3, 16, 2)
        self.level4 = _conv(16, 32, 2)
        self.level8 = nn.Sequential(_conv(32, 64, 2), _conv(64, 64))
        self.level16 = nn.Sequential(_conv(64, 96, 2), _conv(96, 96))
        self.level32 = nn.Sequential(_conv(96, 96, 2), Residual(96))
        self.up16, self.up8, self.up4 = _conv(192, 64), _conv(128, 40), _conv(72, 32)
        self.heat = nn.Conv2d(32, 1, 1)
        self.geometry = nn.Sequential(_conv(32, 32), nn.Conv2d(32, 14, 1))
        nn.init.constant_(self.heat.bias, -4.0)  # type: ignore[arg-type]  # faces are rare: begin by seeing none

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a = self.level4(self.stem(x))
        b = self.level8(a)
        c = self.level16(b)
        d = self.level32(c)
        c = self.up16(torch.cat([c, functional.interpolate(d, scale_factor=2.0, mode="nearest")], 1))
        b = self.up8(torch.cat([b, functional.interpolate(c, scale_factor=2.0, mode="nearest")], 1))
        a = self.up4(torch.cat([a, functional.interpolate(b, scale_factor=2.0, mode="nearest")], 1))
        return self.heat(a), self.geometry(a)


class LandmarkNet(nn.Module):
    """96 px aligned crop to shifts of the five points (in crop sizes) and a logit "this is a face"."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(3, 16, 2), _conv(16, 32, 2), _conv(32, 32), _conv(32, 64, 2), _conv(64, 64), _conv(64, 96, 2),
            _conv(96, 64),
        )  # fmt: skip
        self.flat = nn.Sequential(nn.Flatten(), nn.Linear(64 * 36, 128), nn.ReLU(inplace=True))
        self.shift = nn.Linear(128, 10)
        self.face = nn.Linear(128, 1)
        nn.init.zeros_(self.shift.weight)
        nn.init.zeros_(self.shift.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.flat(self.body(x))
        return self.shift(features), self.face(features)


class Encoder(nn.Module):
    """112 px aligned head to a unit vector; `width` and `depth` differ between the embedder and the judge."""

    def __init__(self, width: int = 20, depth: int = 1, size: int = 128) -> None:
        super().__init__()
        w = width
        stages: list[nn.Module] = [_conv(3, w, 2)]
        for inside, outside in ((w, 2 * w), (2 * w, 3 * w), (3 * w, 5 * w), (5 * w, 6 * w)):
            stages += [_conv(inside, outside, 2), *(Residual(outside) for _ in range(depth))]
        self.body = nn.Sequential(*stages)  # 112 -> 4 px
        self.flat = nn.Sequential(_conv(6 * w, 2 * w), nn.Flatten(), nn.Dropout(0.1), nn.Linear(2 * w * 16, size))
        self.norm = nn.BatchNorm1d(size)
        # Found in closed form after training (`learn_identity.polish`): until then it changes nothing.
        self.polish = nn.Linear(size, size)
        self.polish.weight.data = torch.eye(size)
        nn.init.zeros_(self.polish.bias)

    def vector(self, x: Tensor) -> Tensor:
        """What training sees: the unit vector before it is polished."""
        return functional.normalize(self.norm(self.flat(self.body(x))), dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(self.polish(self.vector(x)), dim=1)


class MatteNet(nn.Module):
    """192 px picture to a logit of "person" per pixel; decided at half size, the guided filter does the edge."""

    def __init__(self) -> None:
        super().__init__()
        self.level2 = _conv(3, 12, 2)
        self.level4 = _conv(12, 32, 2)
        self.level8 = nn.Sequential(_conv(32, 48, 2), _conv(48, 48))
        self.level16 = nn.Sequential(_conv(48, 72, 2), _conv(72, 72))
        self.level32 = nn.Sequential(_conv(72, 96, 2), Residual(96))
        self.up16, self.up8, self.up4, self.up2 = _conv(168, 64), _conv(112, 40), _conv(72, 24), _conv(36, 12)
        self.out = nn.Conv2d(12, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.level2(x)
        b = self.level4(a)
        c = self.level8(b)
        d = self.level16(c)
        e = self.level32(d)
        d = self.up16(torch.cat([d, functional.interpolate(e, scale_factor=2.0, mode="nearest")], 1))
        c = self.up8(torch.cat([c, functional.interpolate(d, scale_factor=2.0, mode="nearest")], 1))
        b = self.up4(torch.cat([b, functional.interpolate(c, scale_factor=2.0, mode="nearest")], 1))
        a = self.up2(torch.cat([a, functional.interpolate(b, scale_factor=2.0, mode="nearest")], 1))
        return functional.interpolate(self.out(a), scale_factor=2.0, mode="bilinear", align_corners=False)
