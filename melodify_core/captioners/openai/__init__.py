"""The captioner that has OpenAI, or a server with the same API, read the picture.

question builds the request, vocabulary has the words that may reach a music model, answer takes the text of the
response, fields finds the fields in it, normalising makes a Brief of them, wire and faults deal with the client and its
errors, checking validates the settings without spending anything. moderation checks whether a picture may be read,
beside any captioner.
"""

from melodify_core.captioners.openai.captioner import OpenAICaptioner, price_of_reading
from melodify_core.captioners.openai.moderation import OpenAIModerator
from melodify_core.captioners.openai.question import memory_label

__all__ = ["OpenAICaptioner", "OpenAIModerator", "memory_label", "price_of_reading"]
