"""Prints figures, each beside its target, with a mark where it misses."""


def show(name: str, value: float, target: str, *, met: bool, form: str = ".2f") -> None:
    """Print one figure."""
    print(f"  {name:<58} {value:>9{form}}   target {target:<9} {'' if met else 'MISSED'}".rstrip())


def at_least(name: str, value: float, target: float, form: str = ".2f") -> None:
    """Print a figure that may not be lower."""
    show(name, value, f">= {target:g}", met=value >= target, form=form)


def at_most(name: str, value: float, target: float, form: str = ".2f") -> None:
    """Print a figure that may not be higher."""
    show(name, value, f"<= {target:g}", met=value <= target, form=form)
