"""The metrics, under the names that /metrics shows; deploy/monitoring/ has panels and alerts.

The objects are global, as prometheus_client wants it. Labels have few values each: never an id, never a text.
"""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0)
LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)

orders = Counter(
    "melodify_orders", "Orders, by what became of them: accepted, repeated, or the limit's code.", ["result"]
)
jobs_ended = Counter(
    "melodify_jobs_ended",
    "Jobs that ended here, by the stage they had reached and by outcome: song, or the error's code.",
    ["stage", "outcome"],
)
stage_seconds = Histogram("melodify_stage_seconds", "Seconds that a stage took.", ["stage"], buckets=SECONDS)
provider_seconds = Histogram(
    "melodify_provider_seconds", "Seconds that a provider's answer took.", ["provider"], buckets=SECONDS
)
provider_errors = Counter("melodify_provider_errors", "Answers of a provider that were an error.", ["provider", "code"])
dollars = Counter("melodify_dollars", "Dollars paid to providers, estimated from list prices.", ["provider", "model"])
day_dollars = Gauge(
    "melodify_day_dollars",
    "Dollars that budgets count now, of all processes: spent in the last day, or reserved for open jobs.",
    ["kind"],
)
queue_jobs = Gauge("melodify_queue_jobs", "Open jobs of all processes.", ["state"])
queue_oldest_seconds = Gauge("melodify_queue_oldest_seconds", "Age of the oldest job that waits; 0 where none does.")
stuck_jobs = Gauge("melodify_stuck_jobs", "Jobs that are open for longer than work.stuck_minutes.")
discord_requests = Counter("melodify_discord_requests", "Answers of Discord's REST API, by status.", ["status"])
discord_ratelimits = Counter("melodify_discord_ratelimits", "Answers of Discord that were 429, by scope.", ["scope"])
gateway_latency_seconds = Gauge("melodify_gateway_latency_seconds", "Heartbeat to acknowledgement.", ["shard"])
loop_lag_seconds = Histogram(
    "melodify_loop_lag_seconds", "How much later than asked the event loop wakes a sleeper.", buckets=LAGS
)
maintenance_done = Gauge(
    "melodify_maintenance_done_timestamp_seconds",
    "Unix time of a periodic task's last success; at first, of the start.",
    ["task"],
)
maintenance_every_seconds = Gauge("melodify_maintenance_every_seconds", "Period of a periodic task.", ["task"])
