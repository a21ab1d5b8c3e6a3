"""The composer that has the music made by an ACE-Step 1.5 server, such as one beside the bot.

order says what is asked for; server speaks the API; faults says what went wrong; composer waits for the music.
"""
