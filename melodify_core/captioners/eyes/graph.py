"""Builds a network as an ONNX graph, layer by layer, and opens it with onnxruntime. Knows no particular network."""

import ctypes
from contextlib import suppress
from typing import Any

import numpy as np

from melodify_core.captioners.eyes.weights import Array

_OPSET = 17
_IR_VERSION = 8


class Graph:
    """A chain of layers; each layer is identified by its output's name. Pictures are (n, channels, y, x)."""

    def __init__(self, channels: int) -> None:
        from onnx import TensorProto, helper

        self._helper = helper
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._input = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", channels, "y", "x"])
        self._outputs: list[Any] = []

    def layer(self, kind: str, source: str | tuple[str, ...], *weights: Array, **attributes: Any) -> str:
        """Add a layer with an ONNX operator and return its output's name; the arrays are its further inputs."""
        from onnx import numpy_helper

        name = f"v{len(self._nodes)}"
        sources = [source] if isinstance(source, str) else list(source)
        for number, array in enumerate(weights):
            sources.append(f"{name}w{number}")
            self._weights.append(numpy_helper.from_array(np.ascontiguousarray(array), sources[-1]))
        self._nodes.append(self._helper.make_node(kind, sources, [name], **attributes))
        return name

    def output(self, name: str) -> None:
        """Make a layer's result an output of the network."""
        from onnx import TensorProto

        self._outputs.append(self._helper.make_tensor_value_info(name, TensorProto.FLOAT, None))

    def opened(self) -> "Network":
        """Return the network, ready to run."""
        graph = self._helper.make_graph(self._nodes, "g", [self._input], self._outputs, self._weights)
        model = self._helper.make_model(
            graph, opset_imports=[self._helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        return Network(model.SerializeToString())


class Network:
    """An open network. Raises ImportError where onnxruntime cannot run it.

    It uses one thread: there is one worker process per core, and sums keep their order.
    """

    def __init__(self, model: bytes | str) -> None:
        """Open a network by its bytes, or by the path of its file."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # an idle worker holds no more than the weights
        options.log_severity_level = 3
        state = onnxruntime.capi.onnxruntime_pybind11_state
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except (state.Fail, state.InvalidGraph, state.NotImplemented, state.RuntimeException) as error:
            raise ImportError(f"onnxruntime cannot run the network: {error}") from error
        self._input = self._session.get_inputs()[0].name

    def run(self, pictures: Array) -> list[Array]:
        """Return the outputs for pictures, of shape (n, channels, y, x) or as the network wants them."""
        return [np.asarray(output) for output in self._session.run(None, {self._input: pictures})]


def return_memory() -> None:
    """Return the 70 MB that glibc keeps after a network ran to the system; do nothing without glibc."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
