"""The song page on the web: optional, inside the bot's process, off without `web.public_url`. Knows no Discord."""
