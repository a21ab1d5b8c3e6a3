"""How figures are printed: each beside the asked one, with a mark where it misses."""


def show(name: str, value: float, asked: str, *, met: bool, form: str = ".2f") -> None:
    """Print one figure."""
    print(f"  {name:<58} {value:>9{form}}   asked {asked:<9} {'' if met else 'MISSED'}".rstrip())


def at_least(name: str, value: float, asked: float, form: str = ".2f") -> None:
    """Print a figure that may not be lower."""
    show(name, value, f">= {asked:g}", met=value >= asked, form=form)


def at_most(name: str, value: float, asked: float, form: str = ".2f") -> None:
    """Print a figure that may not be higher."""
    show(name, value, f"<= {asked:g}", met=value <= asked, form=form)
