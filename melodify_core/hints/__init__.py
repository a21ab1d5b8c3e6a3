"""What a member's hint means: concepts as data, exact words first, then meaning where the extra `hints` is installed.

It knows no picture and makes no music: captioners and composers use what it understood.
"""

from melodify_core.hints.account import account_of
from melodify_core.hints.meaning import is_installed, nearest
from melodify_core.hints.wishes import Wishes, length_of, understand

__all__ = ["Wishes", "account_of", "is_installed", "length_of", "nearest", "understand"]
