"""The composer that has the music made by Lyria on Vertex AI.

predict speaks to Lyria 2, interactions to Lyria 3; answer says what either makes of a prompt; composer decides what is
asked, how often, and what it cost.
"""

from melodify_core.composers.lyria.composer import LyriaComposer, missing_price, price_of_take

__all__ = ["LyriaComposer", "missing_price", "price_of_take"]
