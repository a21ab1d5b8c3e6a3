"""The eight pictures of the page that plays songs. They are painted here, so they are under no licence but ours."""

from collections.abc import Callable

from PIL import Image

from docs.showcase.paintings import (
    cafe,
    evening_sea,
    misty_forest,
    moon_palace,
    rainy_city,
    ringed_planet,
    snow_mountain,
    storm,
)

PAINTINGS: dict[str, Callable[[], Image.Image]] = {
    "evening-sea": evening_sea.paint,
    "rainy-city": rainy_city.paint,
    "misty-forest": misty_forest.paint,
    "moon-palace": moon_palace.paint,
    "cafe": cafe.paint,
    "storm": storm.paint,
    "snow-mountain": snow_mountain.paint,
    "ringed-planet": ringed_planet.paint,
}
