"""Sound as bytes: decoding a take, FFmpeg's filters, loudness, mastering, and the MP3 that is posted.

Which notes are played is in composers. Nothing is imported here: the pipeline's image has FFmpeg, but no MP3 encoder.
"""
