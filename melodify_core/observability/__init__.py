"""What a host sees of the running program: metrics, traces, health checks, and the job of a log line.

This package only reports and decides nothing. The HTTP port for it is in bot/ops.
"""
