"""The captioner that asks OpenAI, or a server that speaks its API, to read the picture.

moderation looks whether the picture may be read, question says what is asked, vocabulary holds the words that may reach
a music model, answer finds the fields in what came back, repair makes a Brief of them, wire and faults hold what goes
wrong on the way, checking looks at the settings without spending anything.
"""

from melodify_core.captioners.openai.captioner import OpenAICaptioner, price_of_reading
from melodify_core.captioners.openai.question import memory_label

__all__ = ["OpenAICaptioner", "memory_label", "price_of_reading"]
