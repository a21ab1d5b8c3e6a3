"""The embedded composer: Brief -> score -> SoundFont synthesis. Knows neither jobs nor storage."""
