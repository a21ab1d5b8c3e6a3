"""The port with health and metrics, the metrics of the gateway connection, and the log's format.

What is measured inside a job is in melodify_core/observability.
"""
