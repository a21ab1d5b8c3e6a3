"""What a host sees of the running program: metrics, traces, health checks, the job that a log line belongs to.

Only reports: nothing here decides. The HTTP port for it is in bot/ops.
"""
