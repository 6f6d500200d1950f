"""Stacked adapters: K people's LoRAs on one frozen network, applied in one pass.

A batch is laid out by slot: [slot 0 x b, slot 1 x b, ...]. Each adapted layer holds A[K, r, in] and B[K, out, r] and
adds `scale * x A_k^T B_k^T` to the rows of slot k by batched matmul, so the frozen network runs once at a large batch
instead of K times at a small one. Nothing here mixes rows of different slots: a person's numbers depend on that
person alone. All A and B are views into one flat float32 buffer [K, P], so that a whole person is one row: cheap to
save, clip, clear or replace in place.

PEFT describes adapters (rank, alpha, targets, file keys) and we keep to its description; the layers are our own,
because PEFT's mixed batch loops over adapters and issues more kernels than training one by one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


def add_stacked(plain: Tensor, x: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:
    """`plain + scale * x A_k^T B_k^T`: x (K b, ..., in), A (K, r, in), B (K, out, r); two batched matmuls in all."""
    slots = down.shape[0]
    inner = torch.bmm(x.reshape(slots, -1, x.shape[-1]), down.to(x.dtype).transpose(1, 2))
    rows = plain.reshape(slots, -1, plain.shape[-1])
    return torch.baddbmm(rows, inner, up.to(x.dtype).transpose(1, 2), alpha=scale).view_as(plain)


class StackedLinear(nn.Module):
    """`frozen(x) + scale * x A_k^T B_k^T` for the rows of each slot k."""

    def __init__(self, frozen: nn.Linear, down: nn.Parameter, up: nn.Parameter, scale: float) -> None:
        super().__init__()
        self.frozen, self.down, self.up, self.scale = frozen, down, up, scale
        self.in_features, self.out_features = frozen.in_features, frozen.out_features

    @property
    def weight(self) -> Tensor:  # diffusers reads the dtype of some layers' weight
        return self.frozen.weight

    @property
    def bias(self) -> Tensor | None:
        return self.frozen.bias

    def forward(self, x: Tensor) -> Tensor:
        return add_stacked(self.frozen(x), x, self.down, self.up, self.scale)


class StackedConv2d(nn.Module):
    """The same for a convolution, exactly as PEFT's: A is a k x k convolution to r channels, B a 1 x 1 back.

    All slots run as one grouped convolution each: (K b, C, H, W) is seen as (b, K C, H, W), a free view at b = 1.
    """

    def __init__(self, frozen: nn.Conv2d, down: nn.Parameter, up: nn.Parameter, scale: float) -> None:
        super().__init__()
        self.frozen, self.down, self.up, self.scale = frozen, down, up, scale
        self.in_channels, self.out_channels = frozen.in_channels, frozen.out_channels

    @property
    def weight(self) -> Tensor:
        return self.frozen.weight

    @property
    def bias(self) -> Tensor | None:
        return self.frozen.bias

    def forward(self, x: Tensor) -> Tensor:
        plain: Tensor = self.frozen(x)
        slots, rank = self.down.shape[:2]
        channels, height, width = x.shape[1:]
        grouped = (
            x.reshape(slots, -1, channels, height, width).transpose(0, 1).reshape(-1, slots * channels, height, width)
        )
        inner = functional.conv2d(
            grouped,
            self.down.to(x.dtype).flatten(0, 1),
            stride=self.frozen.stride,
            padding=self.frozen.padding,
            dilation=self.frozen.dilation,
            groups=slots,
        )
        per_slot = inner.view(-1, slots, rank, inner.shape[-2] * inner.shape[-1]).transpose(0, 1)  # (K, b, r, hw)
        up = self.up.to(x.dtype).view(slots, 1, self.out_channels, rank)
        return torch.add(plain, torch.matmul(up, per_slot).reshape(plain.shape), alpha=self.scale)


@dataclass(frozen=True)
class LayerPlace:
    """Where one adapted layer lies in a person's row of the flat buffer."""

    name: str
    down: tuple[int, ...]  # shape of A for one person
    up: tuple[int, ...]
    start: int

    @property
    def middle(self) -> int:
        return self.start + int(torch.Size(self.down).numel())

    @property
    def end(self) -> int:
        return self.middle + int(torch.Size(self.up).numel())


def is_target(name: str, target: str) -> bool:
    """PEFT's rule: the whole name, or its ending after a dot. A `*` stands for one part of the name."""
    parts, wanted = name.split("."), target.split(".")
    if len(parts) < len(wanted):
        return False
    return all(want in ("*", part) for part, want in zip(parts[-len(wanted) :], wanted, strict=True))


def adapted_layers(denoiser: nn.Module, targets: Sequence[str], rank: int) -> list[LayerPlace]:
    """The layers that `targets` name, by the rule of `is_target`."""
    places: list[LayerPlace] = []
    start = 0
    down: tuple[int, ...]
    up: tuple[int, ...]
    for name, module in denoiser.named_modules():
        if not any(is_target(name, target) for target in targets):
            continue
        if isinstance(module, nn.Linear):
            down, up = (rank, module.in_features), (module.out_features, rank)
        elif isinstance(module, nn.Conv2d) and module.groups == 1:
            down, up = (rank, module.in_channels, *module.kernel_size), (module.out_channels, rank, 1, 1)
        else:
            raise TypeError(f"{name} is a {type(module).__name__}; adapters go on Linear and ungrouped Conv2d")
        places.append(LayerPlace(name, down, up, start))
        start = places[-1].end
    if not places:
        raise ValueError(f"no layer of the denoiser ends in any of {', '.join(targets)}")
    return places


class SlotBank:
    """K slots of adapters on one denoiser: the flat buffers, and the stacked layers that look into them."""

    def __init__(
        self, denoiser: nn.Module, targets: Sequence[str], *, slots: int, rank: int, alpha: float, train: bool
    ) -> None:
        first = next(denoiser.parameters())
        self.denoiser, self.slots, self.rank, self.scale = denoiser, slots, rank, alpha / rank
        self.places = adapted_layers(denoiser, targets, rank)
        self.width = self.places[-1].end
        self.weights = torch.zeros(slots, self.width, device=first.device, dtype=torch.float32)
        self.gradients = torch.zeros_like(self.weights) if train else None
        self.layers = {place.name: self._layer(place) for place in self.places}

    def _layer(self, place: LayerPlace) -> StackedLinear | StackedConv2d:
        frozen = self.denoiser.get_submodule(place.name)
        halves = []
        for begin, end, shape in ((place.start, place.middle, place.down), (place.middle, place.end, place.up)):
            half = nn.Parameter(
                self.weights[:, begin:end].view(self.slots, *shape), requires_grad=self.gradients is not None
            )
            if self.gradients is not None:
                half.grad = self.gradients[:, begin:end].view(self.slots, *shape)
            halves.append(half)
        down, up = halves
        if isinstance(frozen, nn.Linear):
            return StackedLinear(frozen, down, up, scale=self.scale)
        assert isinstance(frozen, nn.Conv2d)
        return StackedConv2d(frozen, down, up, scale=self.scale)

    @contextmanager
    def attached(self) -> Iterator[None]:
        """The denoiser with its adapters on; afterwards it is exactly the frozen one again."""
        try:
            for name, layer in self.layers.items():
                self._put(name, layer)
            yield
        finally:
            for name, layer in self.layers.items():
                self._put(name, layer.frozen)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Inside `attached`: the frozen denoiser, as if nobody had learned anything, and then the adapters again."""
        try:
            for name, layer in self.layers.items():
                self._put(name, layer.frozen)
            yield
        finally:
            for name, layer in self.layers.items():
                self._put(name, layer)

    def _put(self, name: str, module: nn.Module) -> None:
        parent, _, leaf = name.rpartition(".")
        self.denoiser.get_submodule(parent)._modules[leaf] = module

    def fill(self, slot: int, row: Tensor) -> None:
        """One person's adapter into one slot, in place: no graph changes, nothing recompiles."""
        with torch.no_grad():
            self.weights[slot].copy_(row)

    def row(self, adapter: dict[str, Tensor]) -> Tensor:
        """A person's adapter (layer name + `.lora_A.weight` / `.lora_B.weight`) as one row."""
        if unknown := adapter.keys() - {f"{p.name}.lora_{half}.weight" for p in self.places for half in "AB"}:
            raise ValueError(f"{len(unknown)} adapter tensors fit no adapted layer, such as {sorted(unknown)[0]}")
        row = torch.zeros(self.width, device=self.weights.device)
        for place in self.places:
            for half, begin, end, shape in self._halves(place):
                key = f"{place.name}.lora_{half}.weight"
                if key in adapter:
                    if tuple(adapter[key].shape) != shape:
                        raise ValueError(f"{key} has shape {tuple(adapter[key].shape)}, this base takes {shape}")
                    row[begin:end] = adapter[key].to(row).flatten()
        return row

    def adapter(self, row: Tensor) -> dict[str, Tensor]:
        """One row as PEFT's names and shapes, copied to the CPU."""
        kept = row.detach().to("cpu", torch.float32)
        return {
            f"{place.name}.lora_{half}.weight": kept[begin:end].view(shape).clone()
            for place in self.places
            for half, begin, end, shape in self._halves(place)
        }

    @staticmethod
    def _halves(place: LayerPlace) -> tuple[tuple[str, int, int, tuple[int, ...]], ...]:
        return ("A", place.start, place.middle, place.down), ("B", place.middle, place.end, place.up)

    def fresh_row(self, generator: torch.Generator, *, gaussian: bool = False) -> Tensor:
        """A new person's start, from that person's seed: A as PEFT draws it (uniform, bound 1/sqrt(fan in)), B zero.

        `gaussian`: A normal with standard deviation 1/rank, as the official scripts draw it.
        """
        row = torch.zeros(self.width)
        for place in self.places:
            bound = float(torch.Size(place.down[1:]).numel()) ** -0.5
            count = place.middle - place.start
            if gaussian:
                row[place.start : place.middle] = torch.randn(count, generator=generator) / self.rank
            else:
                row[place.start : place.middle] = (torch.rand(count, generator=generator) * 2 - 1) * bound
        return row.to(self.weights.device)
