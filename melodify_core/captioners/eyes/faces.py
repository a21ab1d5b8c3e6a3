"""Finds faces that look towards the camera, by MTCNN's cascade of three networks, from the package `mtcnn`.

K. Zhang, Z. Zhang, Z. Li, Y. Qiao: Joint face detection and alignment using multitask cascaded convolutional networks.
IEEE Signal Processing Letters 23 (2016). A box is a row x1, y1, x2, y2 and its score. This module returns only how many
faces there are, how large they are and whether they are framed: nobody is identified.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from melodify_core.captioners.eyes.frames import is_framed
from melodify_core.captioners.eyes.graph import Graph, Network
from melodify_core.captioners.eyes.weights import Array, folder_of, joblib_weights

PACKAGE = "mtcnn"
_LONGEST = 480  # pixels of the picture that is searched
_SMALLEST = 26  # pixels of a face in that picture
_STEP = 0.709  # scale from one searched size to the next: half of the area
_WINDOW = 12  # pixels that the first network sees
_CANDIDATES = 200  # of the first network, the best ones; a wall of leaves has thousands
# The least score of a box in each of the three networks. The last is high: a face in the clouds is not a face.
_SCORES = (0.7, 0.8, 0.97)
_DOUBTFUL = 0.4  # from here on it may be one: half turned away, or in the shade
_LARGE = 0.3  # of the picture's height; a larger one is no picture on a wall


@dataclass(frozen=True, slots=True)
class Faces:
    """The heights of faces, the largest first, as shares of the picture's height."""

    heights: tuple[float, ...] = ()
    doubtful: tuple[float, ...] = ()  # what may be faces
    framed: bool = False  # whether all are in pictures on a wall or a screen


def faces(picture: Image.Image) -> Faces:
    """Return the faces of an RGB picture."""
    scale = min(1.0, _LONGEST / max(picture.size))
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    if min(size) < _SMALLEST:
        return Faces()
    small = picture.resize((size[0], size[1]), Image.Resampling.BILINEAR)
    boxes = _proposed(small)
    boxes = _kept(_refined(small, boxes, 24, _refining(), _SCORES[1]), 0.7)
    boxes = _kept(_refined(small, boxes, 48, _deciding(), _DOUBTFUL), 0.7, of_smaller=True)
    sure = boxes[boxes[:, 4] > _SCORES[2]]
    return Faces(
        _heights(sure, small), _heights(boxes[boxes[:, 4] <= _SCORES[2]], small), framed=_are_framed(sure, small)
    )


def _heights(boxes: Array, picture: Image.Image) -> tuple[float, ...]:
    return tuple(sorted(((box[3] - box[1]) / picture.height for box in boxes.tolist()), reverse=True))


def _are_framed(boxes: Array, picture: Image.Image) -> bool:
    if not len(boxes) or max(_heights(boxes, picture)) > _LARGE:
        return False
    grey = np.asarray(picture.convert("L"), dtype=np.float64)
    return all(is_framed(grey, (x1, y1, x2, y2)) for x1, y1, x2, y2, _ in boxes.tolist())


def _proposed(picture: Image.Image) -> Array:
    found = [np.zeros((0, 5), dtype=np.float32)]
    scale = _WINDOW / _SMALLEST
    while min(picture.size) * scale >= _WINDOW:
        width, height = (int(np.ceil(side * scale)) for side in picture.size)
        shifts, scores = _proposing().run(_pixels(picture.resize((width, height), Image.Resampling.BILINEAR))[None])
        rows, columns = np.nonzero(scores[0, 1] > _SCORES[0])
        corners = np.stack([columns, rows, columns, rows], axis=1) * 2 + np.array([0, 0, _WINDOW, _WINDOW])
        boxes = (corners + shifts[0][:, rows, columns].T * _WINDOW) / scale
        found.append(_kept(np.column_stack([boxes, scores[0, 1][rows, columns]]).astype(np.float32), 0.5))
        scale *= _STEP
    return _kept(np.concatenate(found), 0.7)[:_CANDIDATES]


def _refined(picture: Image.Image, boxes: Array, side: int, network: Network, least: float) -> Array:
    """Return the boxes that a network accepts as faces, moved to where it sees them."""
    if not len(boxes):
        return boxes
    middles, sides = (boxes[:, :2] + boxes[:, 2:4]) / 2, np.maximum(1, (boxes[:, 2:4] - boxes[:, :2]).max(axis=1))
    squares = np.column_stack([middles - sides[:, None] / 2, middles + sides[:, None] / 2])
    patches = [_patch(picture, square, side) for square in squares.tolist()]
    shifts, scores = network.run(np.stack(patches))
    moved = np.column_stack([squares + shifts * sides[:, None], scores[:, 1]]).astype(np.float32)
    return moved[scores[:, 1] > least]


def _patch(picture: Image.Image, square: list[float], side: int) -> Array:
    """Return a part of the picture, black where it extends over the edge."""
    x1, y1, x2, y2 = square
    scale = ((x2 - x1) / side, (y2 - y1) / side)
    cut = picture.transform(
        (side, side), Image.Transform.AFFINE, (scale[0], 0, x1, 0, scale[1], y1), Image.Resampling.BILINEAR
    )
    return _pixels(cut)


def _pixels(picture: Image.Image) -> Array:
    return ((np.asarray(picture, dtype=np.float32) - 127.5) / 128).transpose(2, 0, 1).astype(np.float32)


def _kept(boxes: Array, most: float, *, of_smaller: bool = False) -> Array:
    """Return the boxes without those that overlap a better box by more than `most` of both (or of the smaller)."""
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    left = np.arange(len(boxes))
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        low, high = np.maximum(boxes[best, :2], boxes[left, :2]), np.minimum(boxes[best, 2:4], boxes[left, 2:4])
        shared = np.prod(np.maximum(0, high - low), axis=1)
        whole = np.minimum(areas[best], areas[left]) if of_smaller else areas[best] + areas[left] - shared
        left = left[shared <= most * whole]
    return boxes[kept]


@cache
def _proposing() -> Network:
    weights = joblib_weights(folder_of(PACKAGE) / "assets" / "weights" / "pnet.lz4")
    graph = Graph(3)
    flow = _convolution(graph, "x", weights[0:3])
    flow = graph.layer("MaxPool", flow, kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    flow = _convolution(graph, flow, weights[3:6])
    flow = _convolution(graph, flow, weights[6:9])
    graph.output(_convolution(graph, flow, weights[9:11]))
    graph.output(graph.layer("Softmax", _convolution(graph, flow, weights[11:13]), axis=1))
    return graph.opened()


@cache
def _refining() -> Network:
    weights = joblib_weights(folder_of(PACKAGE) / "assets" / "weights" / "rnet.lz4")
    graph = Graph(3)
    flow = _convolution(graph, "x", weights[0:3])
    flow = graph.layer("MaxPool", flow, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    flow = _convolution(graph, flow, weights[3:6])
    flow = graph.layer("MaxPool", flow, kernel_shape=[3, 3], strides=[2, 2])
    flow = _convolution(graph, flow, weights[6:9])
    return _headed(graph, flow, weights[9:12], weights[12:14], weights[14:16])


@cache
def _deciding() -> Network:
    weights = joblib_weights(folder_of(PACKAGE) / "assets" / "weights" / "onet.lz4")
    graph = Graph(3)
    flow = _convolution(graph, "x", weights[0:3])
    flow = graph.layer("MaxPool", flow, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
    flow = _convolution(graph, flow, weights[3:6])
    flow = graph.layer("MaxPool", flow, kernel_shape=[3, 3], strides=[2, 2])
    flow = _convolution(graph, flow, weights[6:9])
    flow = graph.layer("MaxPool", flow, kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    flow = _convolution(graph, flow, weights[9:12])
    # The weights in between find eyes, nose and mouth, which are not needed here.
    return _headed(graph, flow, weights[12:15], weights[15:17], weights[19:21])


def _headed(graph: Graph, flow: str, dense: list[Array], shift: list[Array], score: list[Array]) -> Network:
    # The authors' Matlab iterated over x before y, and the channels come last.
    flow = graph.layer("Flatten", graph.layer("Transpose", flow, perm=[0, 3, 2, 1]))
    flow = graph.layer("PRelu", graph.layer("Gemm", flow, *dense[:2]), dense[2])
    graph.output(graph.layer("Gemm", flow, *shift))
    graph.output(graph.layer("Softmax", graph.layer("Gemm", flow, *score), axis=1))
    return graph.opened()


def _convolution(graph: Graph, source: str, weights: list[Array]) -> str:
    """Add a convolution in Keras's layout (y, x, in, out), and its PReLU where there is one."""
    flow = graph.layer("Conv", source, weights[0].transpose(3, 2, 0, 1), weights[1])
    return graph.layer("PRelu", flow, weights[2].reshape(-1, 1, 1)) if len(weights) == 3 else flow
