"""Writes a trained net as ONNX with folded batch norms, and checks that onnxruntime computes the same.

Weights are stored in half precision and widened when the file is opened: half the bytes in the repository, and the sums
are still done in single precision.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from tasks.vision.readers import sessions

MOST_BYTES = 3 * 2**20
TOLERANCE = 0.02  # of the largest output: what half-precision weights may change


def export(net: nn.Module, path: Path, side: int, outputs: list[str]) -> float:
    """One picture in, `outputs` out; returns the largest difference to torch. Raises when it is not the same net."""
    net = net.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # missing from stubs
    example = torch.rand(1, 3, side, side) * 2 - 1
    with warnings.catch_warnings():
        # The newer exporter needs onnxscript; the older one writes these plain nets perfectly.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            net, (example,), str(path), input_names=["picture"], output_names=outputs, dynamo=False, opset_version=17
        )
    _halve(path)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"{path.name} has {size} bytes; {MOST_BYTES} are allowed")
    with torch.no_grad():
        told = net(example)
    expected = [told] if isinstance(told, torch.Tensor) else list(told)
    sessions.forget()
    found = sessions.run(path, example.numpy())
    worst = max(
        float(np.abs(f - e.numpy()).max()) / max(1.0, float(e.abs().max()))
        for f, e in zip(found, expected, strict=True)
    )
    if worst > TOLERANCE:
        raise ValueError(f"{path.name}: onnxruntime differs by {worst:.2e} from torch")
    return worst


def _halve(path: Path) -> None:
    """Weights of more than 64 numbers become float16 with a cast behind them."""
    model = onnx.load(str(path))
    casts = []
    for held in model.graph.initializer:
        values = numpy_helper.to_array(held)
        if held.data_type != TensorProto.FLOAT or values.size <= 64:
            continue
        name = held.name
        held.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.save(model, str(path))
