"""Class names, their order, and which of them a horizontal flip exchanges."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lilliput.errors import DataError

_SIDE = re.compile("left|right")


@dataclass(frozen=True)
class LabelSet:
    """The classes of a data set.

    Attributes:
        class_names: The K names, in the order of the model's outputs.
        flip_pairs: Index pairs that a horizontal flip exchanges; found by name
            (…left… and …right…) where they are not given.
    """

    class_names: tuple[str, ...]
    flip_pairs: tuple[tuple[int, int], ...] = field(default=())

    @classmethod
    def from_names(cls, class_names: Iterable[str]) -> "LabelSet":
        """Takes the names in order and finds the flip pairs by name."""
        names = tuple(class_names)
        if len(set(names)) != len(names):
            raise DataError("two classes have the same name; rename or merge them")
        return cls(names, find_flip_pairs(names))

    def __len__(self) -> int:
        return len(self.class_names)

    def index(self, name: str) -> int:
        """The position of a class name; an unknown one names its nearest neighbour."""
        try:
            return self.class_names.index(name)
        except ValueError:
            near = difflib.get_close_matches(name, self.class_names, n=1, cutoff=0.0)
            hint = f"; nearest is '{near[0]}'" if near else ""
            raise DataError(f"unknown label '{name}'{hint}") from None


def find_flip_pairs(class_names: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Pairs names that become one another when left and right change places, in any case.

    The first of a pair is the one that says left first: ``from left to right`` and then
    ``from right to left``.
    """
    names = [name.lower() for name in class_names]
    pairs = []
    for position, name in enumerate(names):
        sides = _SIDE.findall(name)
        mirrored = _SIDE.sub(lambda side: "right" if side[0] == "left" else "left", name)
        if sides[:1] == ["left"] and mirrored in names:
            pairs.append((position, names.index(mirrored)))
    return tuple(pairs)
