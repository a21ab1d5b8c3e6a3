"""The composer that has the music made by Lyria through the Gemini API, with one key.

models knows price and length, without the SDK; wire asks, through google-genai; faults says what went wrong; composer
decides what is asked, how often, and what it cost.
"""
