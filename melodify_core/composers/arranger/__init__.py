"""The embedded composer: Brief -> score -> SoundFont synthesis. It knows neither jobs nor storage."""
