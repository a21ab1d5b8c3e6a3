"""Pictures, audio and video as bytes, and the worker processes that decode and encode them.

Knows neither jobs nor providers; the embedded composer is in composers.
"""
