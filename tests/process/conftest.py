"""What runs whole processes takes its time: every test of this folder is slow."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them. The files whose tests may take longest come first: as the last they would keep one core alone."""
    longest_s: dict[Path, float] = {}
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)
        timeout = item.get_closest_marker("timeout")
        longest_s[item.path] = max(longest_s.get(item.path, 0.0), timeout.args[0] if timeout else 0.0)
    items.sort(key=lambda item: -longest_s[item.path])
