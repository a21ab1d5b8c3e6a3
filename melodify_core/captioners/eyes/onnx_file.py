"""Writes a network in ONNX's file format, as far as the eyes' networks need it.

The package `onnx` would do it too; it has 23 MB and takes 11 MB of each worker. The numbers of the fields are those of
onnx.proto (IR version 8), the encoding is protobuf's: varints, and bytes with their length before them.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from melodify_core.captioners.eyes.weights import Array

Attribute = int | str | Sequence[int]

_IR_VERSION, _OPSET = 8, 17
_FLOAT = 1  # as a tensor's type
_INT, _STRING, _INTS = 2, 3, 7  # as an attribute's type
_VARINT, _BYTES = 0, 2


def model(nodes: Iterable[bytes], weights: Iterable[bytes], inputs: bytes, outputs: Iterable[bytes]) -> bytes:
    """Return the file of a network that `node`, `tensor` and `value` made the parts of."""
    parts = [(1, nodes), (2, [b"g"]), (5, weights), (11, [inputs]), (12, outputs)]
    graph = b"".join(_field(number, part) for number, of_a_kind in parts for part in of_a_kind)
    return _field(1, _IR_VERSION) + _field(7, graph) + _field(8, _field(1, "") + _field(2, _OPSET))


def node(kind: str, sources: Iterable[str], name: str, attributes: Mapping[str, Attribute]) -> bytes:
    """Return a layer with its operator; its output has its name."""
    described = [_field(5, _attribute(key, value)) for key, value in attributes.items()]
    return b"".join([*(_field(1, source) for source in sources), _field(2, name), _field(4, kind), *described])


def tensor(name: str, array: Array) -> bytes:
    """Return an array of weights."""
    dimensions = b"".join(_field(1, size) for size in array.shape)
    return dimensions + _field(2, _FLOAT) + _field(8, name) + _field(9, np.asarray(array, "<f4").tobytes())


def value(name: str, shape: Sequence[int | str] | None) -> bytes:
    """Return an input or output, with the size or the name of each dimension; None where the network decides."""
    kind = _field(1, _FLOAT)
    if shape is not None:
        kind += _field(2, b"".join(_field(1, _field(1 if isinstance(each, int) else 2, each)) for each in shape))
    return _field(1, name) + _field(2, _field(1, kind))


def _attribute(name: str, value: Attribute) -> bytes:
    match value:
        case int():
            return _field(1, name) + _field(3, value) + _field(20, _INT)
        case str():
            return _field(1, name) + _field(4, value) + _field(20, _STRING)
        case _:
            return _field(1, name) + b"".join(_field(8, each) for each in value) + _field(20, _INTS)


def _field(number: int, content: int | str | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3 | _VARINT) + _varint(content)
    data = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    """Return seven bits a byte, the lowest first; a negative number as its two's complement in 64 bits."""
    rest, written = number % (1 << 64), bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)
