"""Builds a network as an ONNX graph, layer by layer, and opens it with onnxruntime. Knows no particular network."""

import numpy as np

from melodify_core.captioners.eyes import onnx_file
from melodify_core.captioners.eyes.onnx_file import Attribute
from melodify_core.captioners.eyes.weights import Array


class Graph:
    """A chain of layers; each layer is identified by its output's name. Pictures are (n, channels, y, x)."""

    def __init__(self, channels: int) -> None:
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []
        self._input = onnx_file.value("x", ["n", channels, "y", "x"])
        self._outputs: list[bytes] = []

    def layer(self, kind: str, source: str | tuple[str, ...], *weights: Array, **attributes: Attribute) -> str:
        """Add a layer with an ONNX operator and return its output's name; the arrays are its further inputs."""
        name = f"v{len(self._nodes)}"
        sources = [source] if isinstance(source, str) else list(source)
        for number, array in enumerate(weights):
            sources.append(f"{name}w{number}")
            self._weights.append(onnx_file.tensor(sources[-1], array))
        self._nodes.append(onnx_file.node(kind, sources, name, attributes))
        return name

    def output(self, name: str) -> None:
        """Make a layer's result an output of the network."""
        self._outputs.append(onnx_file.value(name, None))

    def opened(self) -> "Network":
        """Return the network, ready to run."""
        return Network(onnx_file.model(self._nodes, self._weights, self._input, self._outputs))


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
