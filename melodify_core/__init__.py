"""Makes songs from pictures. Knows nothing of Discord; see `studio`, which takes the orders."""

import os

# onnxruntime, which runs the networks, reports its use to Microsoft unless this is set before it is first imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
