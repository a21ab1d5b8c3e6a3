"""What a member's hint means: concepts as data, exact words first, then meaning where the extra `hints` is installed.

It knows no picture and makes no music: captioners and composers use what it understood.
"""

from melodify_core.hints.meaning import is_installed, nearest

__all__ = ["is_installed", "nearest"]
