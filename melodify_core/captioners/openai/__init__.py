"""The captioner that has OpenAI, or a server with the same API, read the picture.

moderation checks whether the picture may be read, question builds the request, vocabulary has the words that may reach
a music model, answer extracts the fields of the response, normalising makes a Brief of them, wire and faults deal with
the client and its errors, checking validates the settings without spending anything.
"""

from melodify_core.captioners.openai.captioner import OpenAICaptioner, price_of_reading
from melodify_core.captioners.openai.question import memory_label

__all__ = ["OpenAICaptioner", "memory_label", "price_of_reading"]
