"""Music as data: each style in a TOML file of its own, the instruments and patterns that styles name in `material/`.

Only reads and checks the files. What is made of them is in the captioners and composers; display names are the bot's.
"""

from melodify_core.styles.loading import AUTO, all_styles, load, prompt_of, style_choices
from melodify_core.styles.style import Style

__all__ = ["AUTO", "Style", "all_styles", "load", "prompt_of", "style_choices"]
