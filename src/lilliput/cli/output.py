"""Where commands write to."""

from rich.console import Console

console = Console(emoji=False)
messages = Console(stderr=True, emoji=False)  # keeps stdout free for --json and --csv


def print_fact(name: str, fact: object) -> None:
    """One line, unbroken, as it is."""
    console.print(f"{name}: {fact}", markup=False, highlight=False, soft_wrap=True)
