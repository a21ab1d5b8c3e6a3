"""The English words for what is seen: said outright where it is sure, hedged where it is likely."""

from random import Random

from melodify_core.captioners.palette.scenery import Scene

# Per subject or kind: as a phrase in a sentence, then as a noun in a title.
THINGS: dict[str, tuple[str, str]] = {
    "accordion": ("an accordion", "Accordion"), "aeroplane": ("an aeroplane", "Flight"),
    "airship": ("an airship", "Airship"), "animal": ("an animal", "Creature"), "antelope": ("an antelope", "Antelope"),
    "ape": ("an ape", "Ape"), "arch": ("a great arch", "Archway"), "balloon": ("a hot-air balloon", "Balloon"),
    "banjo": ("a banjo", "Banjo"), "barn": ("a barn", "Barn"), "bassoon": ("a bassoon", "Bassoon"),
    "bear": ("a bear", "Bear"), "bed": ("a bed", "Slumber"), "beer": ("a glass of beer", "Toast"),
    "bicycle": ("a bicycle", "Bicycle"), "big cat": ("a big wild cat", "Prowler"),
    "bird": ("a bird", "Bird"), "boat": ("a boat", "Boat"), "boathouse": ("a house by the water", "Boathouse"),
    "bread": ("bread", "Bread"), "breakwater": ("a breakwater in the sea", "Breakwater"),
    "bridge": ("a bridge", "Bridge"), "building": ("a building", "Walls"), "burger": ("a burger", "Lunch"),
    "bus": ("a bus", "Bus Ride"), "butterfly": ("a butterfly", "Butterfly"), "camel": ("a camel", "Caravan"),
    "camera": ("a camera", "Camera"), "candle": ("candlelight", "Candle"), "car": ("a car", "Drive"),
    "castle": ("a castle", "Castle"), "cat": ("a cat", "Cat"), "cello": ("a cello", "Cello"),
    "chair": ("seats", "Seats"), "church": ("a church", "Chapel"), "city": ("a corner of a town", "City"),
    "cliff": ("a cliff", "Cliff"), "clock": ("a clock", "Clock"), "coffee": ("a cup of coffee", "Coffee"),
    "computer": ("a computer", "Keyboard"), "coral reef": ("a coral reef", "Reef"),
    "cottage": ("a thatched cottage", "Cottage"), "cow": ("cattle", "Pasture"), "crab": ("a crab", "Crab"),
    "crane": ("a crane on a building site", "Crane"), "crocodile": ("a crocodile", "Crocodile"),
    "cup": ("a cup", "Cup"), "dam": ("a dam", "Dam"), "dessert": ("a dessert", "Dessert"),
    "dish": ("a dish of food", "Supper"), "diver": ("a diver", "Dive"), "dog": ("a dog", "Dog"),
    "dog sled": ("a dog sled in the snow", "Sled"), "dome": ("a dome", "Dome"), "drum": ("a drum", "Drum"),
    "duck": ("ducks or geese", "Pond"), "elephant": ("an elephant", "Elephant"), "fish": ("a fish", "Fish"),
    "flamingo": ("a flamingo", "Flamingo"), "flower": ("a flower", "Bloom"), "flute": ("a flute", "Flute"),
    "food": ("something to eat or drink", "Table"), "forest": ("a piece of woodland", "Woodland"),
    "fountain": ("a fountain", "Fountain"), "fox": ("a fox", "Fox"), "french horn": ("a French horn", "Horn"),
    "frog": ("a frog", "Frog"), "fruit": ("fruit", "Fruit"), "furniture": ("a furnished room", "Room"),
    "greenery": ("leaves and greenery", "Leaves"), "greenhouse": ("a greenhouse", "Greenhouse"),
    "guitar": ("a guitar", "Guitar"), "hamster": ("a small rodent", "Burrow"), "harbour": ("a harbour", "Harbour"),
    "harmonica": ("a harmonica", "Harmonica"), "harp": ("a harp", "Harp"),
    "hippopotamus": ("a hippopotamus", "River Bank"), "horse": ("a horse", "Horse"),
    "ice cream": ("ice cream", "Ice Cream"), "insect": ("an insect", "Wings"),
    "instrument": ("a musical instrument", "Instrument"), "jellyfish": ("a jellyfish", "Jellyfish"),
    "lakeside": ("the shore of a lake", "Lakeside"), "lamp": ("a lamp", "Lamplight"), "library": ("books", "Library"),
    "lizard": ("a lizard", "Lizard"), "llama": ("a llama", "Llama"), "lobster": ("a lobster", "Lobster"),
    "machine": ("a machine", "Machine"), "marimba": ("a marimba", "Marimba"), "monastery": ("a monastery", "Cloister"),
    "monkey": ("a monkey", "Monkey"), "mosque": ("a mosque", "Mosque"), "motorbike": ("a motorbike", "Ride"),
    "mountain": ("mountain country", "Heights"), "mountains": ("mountains", "Mountains"),
    "mushroom": ("a mushroom", "Mushroom"), "oboe": ("an oboe", "Oboe"), "organ": ("an organ", "Organ"),
    "owl": ("an owl", "Owl"), "pagoda": ("a temple tower", "Temple"), "palace": ("a palace", "Palace"),
    "panda": ("a panda", "Panda"), "parachute": ("a parachute", "Parachute"), "parrot": ("a parrot", "Parrot"),
    "penguin": ("a penguin", "Penguin"), "people": ("people", "Company"), "piano": ("a piano", "Piano"),
    "pier": ("a pier", "Pier"), "pig": ("a pig", "Farmyard"), "pizza": ("a pizza", "Pizza"),
    "plane": ("something in the sky", "Flight"), "rabbit": ("a rabbit", "Rabbit"), "radio": ("a sound system", "Radio"),
    "rapeseed": ("a field of rapeseed", "Field"), "restaurant": ("a restaurant", "Restaurant"),
    "rocket": ("a rocket", "Rocket"), "rooster": ("a chicken", "Farmyard"), "sailing boat": ("a sailing boat", "Sail"),
    "saxophone": ("a saxophone", "Saxophone"), "sea": ("the sea and what lives in it", "Sea"),
    "sea lion": ("a sea lion", "Sea Lion"), "seashore": ("the seashore", "Seashore"),
    "sewing machine": ("a sewing machine", "Thread"), "sheep": ("sheep or goats", "Flock"),
    "ship": ("a ship", "Voyage"),
    "shop": ("a shop", "Shop"), "snail": ("a snail", "Snail"), "snake": ("a snake", "Snake"),
    "snow": ("snow", "Snow"), "sofa": ("a sofa", "Sofa"), "spider": ("a spider", "Web"),
    "squirrel": ("a squirrel", "Squirrel"), "stage": ("a stage", "Stage"), "starfish": ("a starfish", "Starfish"),
    "street": ("a street", "Street"), "swan": ("a swan", "Swan"), "table": ("a table", "Table"),
    "teapot": ("a teapot", "Tea"), "telephone": ("a telephone", "Call"), "tractor": ("a farm machine", "Harvest"),
    "train": ("a train", "Train"), "tram": ("a tram", "Tram"), "trombone": ("a trombone", "Trombone"),
    "truck": ("a lorry", "Haul"), "trumpet": ("a trumpet", "Trumpet"), "turtle": ("a turtle", "Turtle"),
    "typewriter": ("a typewriter", "Typewriter"), "vegetables": ("vegetables", "Garden"),
    "vehicle": ("a vehicle", "Journey"), "violin": ("a violin", "Violin"), "volcano": ("a volcano", "Volcano"),
    "water": ("water", "Water"), "whale": ("a whale", "Whale"), "wine": ("wine", "Wine"),
    "winter sport": ("winter sport in the snow", "Snowfield"), "wolf": ("a wolf", "Wolf"), "yurt": ("a yurt", "Yurt"),
    "zebra": ("a zebra", "Zebra"),
}  # fmt: skip
# By the number of faces: of two people one may look away, so more than one is not counted.
PEOPLE = (("a person", "Portrait"), ("people", "Company"), ("a group of people", "Company"))
_SURE = (
    "The picture shows {thing}.",
    "In view: {thing}.",
    "This is a picture of {thing}.",
)
_LIKELY = (
    "It looks like a picture of {thing}.",
    "This could be a picture of {thing}.",
    "Perhaps it shows {thing}.",
    "It may show {thing}.",
)
_NIGHT = (" It may be night.", " By the look of it, at night.")


def statement(scene: Scene, random: Random) -> str:
    """Return one or two sentences on the scene, "" where nothing was recognised."""
    if scene.kind is None:
        return ""
    sentence = random.choice(_SURE if scene.certainty == "sure" else _LIKELY).format(thing=_words(scene)[0])
    return sentence + (random.choice(_NIGHT) if scene.night else "")


def title_noun(scene: Scene) -> str:
    """Return the noun for a title, "" where the scene is not certain."""
    return _words(scene)[1] if scene.certainty == "sure" else ""


def _words(scene: Scene) -> tuple[str, str]:
    if scene.people:
        return PEOPLE[scene.people - 1]
    return THINGS[scene.subject or scene.kind or ""]
