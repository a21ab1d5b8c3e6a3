"""The composer that has the music made by a pipeline on Vertex AI, which writes it to Cloud Storage.

order says what a run is called and handed, service speaks to Vertex AI, run watches one run to its end, music fetches
what it wrote, checking looks at the settings without spending anything.
"""

from melodify_core.composers.pipeline.composer import PipelineComposer

__all__ = ["PipelineComposer"]
