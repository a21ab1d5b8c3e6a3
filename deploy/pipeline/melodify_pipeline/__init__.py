"""What the pipeline's component runs inside its container: from a prompt to a WAV file. Knows nothing of the bot."""
