"""Networks that we write in ONNX's format, run by onnxruntime."""

import subprocess
import sys

import numpy as np

from melodify_core.captioners.eyes.graph import Graph


def test_a_written_network_computes_what_its_layers_say() -> None:
    graph = Graph(2)
    turned = graph.layer("Transpose", "x", perm=[0, 2, 3, 1])
    added = graph.layer("Add", turned, np.array([10, 20], np.float32))
    clipped = graph.layer("Clip", added, np.array(0, np.float32), np.array(22, np.float32))
    graph.output(graph.layer("Softmax", clipped, axis=-1))
    graph.output(graph.layer("MaxPool", "x", kernel_shape=[2, 2], auto_pad="SAME_UPPER", strides=[1, 1]))
    picture = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    likely, highest = graph.opened().run(picture)
    powers = np.exp(np.clip(picture.transpose(0, 2, 3, 1) + np.array([10, 20]), 0, 22))
    np.testing.assert_allclose(likely, powers / powers.sum(axis=-1, keepdims=True), rtol=1e-5)
    assert highest[0, 0].tolist() == [[4, 5, 5], [4, 5, 5]]


def test_a_network_takes_as_many_pictures_of_any_size_as_there_are() -> None:
    graph = Graph(1)
    graph.output(graph.layer("GlobalAveragePool", "x"))
    network = graph.opened()
    for shape in ((1, 1, 2, 2), (300, 1, 3, 5)):
        (means,) = network.run(np.full(shape, 7, np.float32))
        assert means.shape == (shape[0], 1, 1, 1)
        assert np.allclose(means, 7)


def test_no_other_package_is_loaded_for_it() -> None:
    script = (
        "import sys, numpy as np; from melodify_core.captioners.eyes.graph import Graph; graph = Graph(1); "
        "graph.output(graph.layer('Relu', 'x')); graph.opened(); sys.exit('onnx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
