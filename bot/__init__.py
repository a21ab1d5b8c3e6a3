"""The Discord surface of Melodify: speaks Discord, makes nothing."""
