"""What is measured of Discord's gateway."""

import math

import pytest

from bot.ops.gateway_metrics import HEARTBEAT_S, Heartbeats
from melodify_core.errors import Unavailable


def test_a_gateway_that_falls_silent_is_noticed_before_discord_py_hangs_up() -> None:
    now = 1000.0
    heartbeats = Heartbeats(lambda: now)
    heartbeats.see({0: 0.1, 1: 0.2})
    now += 41.25
    heartbeats.see({0: 0.11, 1: 0.2})
    now += HEARTBEAT_S - 41
    with pytest.raises(Unavailable):
        heartbeats.see({0: 0.11, 1: 0.2})
    heartbeats.see({0: 0.11, 1: 0.3})  # it has answered


def test_a_gateway_that_never_answered_has_no_heartbeat() -> None:
    with pytest.raises(Unavailable):
        Heartbeats().see({0: math.inf})
