"""Boxes on a grid and arrows between them, as SVG text."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 104, 62  # of a box, px
_MARGIN, _TOP = 16, 60
_FONT = "font-family='Helvetica, Arial, sans-serif'"

# Fill and outline of boxes.
BOXES = {
    "clip": ("#f4f4f4", "#777777"),
    "stage": ("#dbe9f8", "#3b6ea5"),
    "kept": ("#fde3cf", "#c8641b"),
    "level": ("#dcf1e0", "#3f8f57"),
    "joint": ("#ece3f6", "#7b57a8"),
    "head": ("#fdf3d0", "#a98413"),
}
ARROWS = {
    "flow": "#444444",
    "lateral": "#c0392b",
    "joint": "#7b57a8",
    "level": "#3f8f57",
}


@dataclass(frozen=True)
class Box:
    """Where a box lies, px."""

    left: float
    top: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + WIDTH

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + HEIGHT

    @property
    def x(self) -> float:
        """Its centre."""
        return self.left + WIDTH / 2

    @property
    def y(self) -> float:
        """Its centre."""
        return self.top + HEIGHT / 2


class Drawing:
    """A picture that grows as boxes are put on it.

    Args:
        title: Stands above it.
        across: Distance of columns, px.
        down: Distance of rows, px.
    """

    def __init__(self, title: str, *, across: int = 140, down: int = 104) -> None:
        self._title = title
        self._across, self._down = across, down
        self._parts: list[str] = []
        self._right, self._bottom = 0.0, 0.0
        self._arrows: set[str] = set()

    def box(self, column: float, row: float, kind: str, title: str, *lines: str) -> Box:
        """A box with a title and up to two lines below it."""
        box = Box(_MARGIN + column * self._across, _TOP + row * self._down)
        fill, outline = BOXES[kind]
        self._parts.append(
            f"<rect x='{box.left:g}' y='{box.top:g}' width='{WIDTH}' height='{HEIGHT}' rx='5' "
            f"fill='{fill}' stroke='{outline}' stroke-width='1.5'/>"
        )
        baseline = box.y + 5 - 8.5 * len(lines)
        for number, line in enumerate((title, *lines)):
            weight = "font-weight='bold' font-size='13'" if number == 0 else "font-size='12'"
            self._parts.append(
                f"<text x='{box.x:g}' y='{baseline + 17 * number:g}' text-anchor='middle' "
                f"{weight} fill='#1a1a1a'>{escape(line)}</text>"
            )
        self._right = max(self._right, box.right)
        self._bottom = max(self._bottom, box.bottom)
        return box

    def beside(self, start: Box, end: Box, kind: str = "flow") -> None:
        """An arrow between neighbours in a row."""
        if start.left < end.left:
            self._path(kind, (start.right, start.y), (end.left, end.y))
        else:
            self._path(kind, (start.left, start.y), (end.right, end.y))

    def below(self, start: Box, end: Box, kind: str = "flow") -> None:
        """An arrow between neighbours in a column."""
        self._path(kind, (start.x, start.bottom), (end.x, end.top))

    def step(self, start: Box, end: Box, kind: str = "flow", *, apart: float = 0) -> None:
        """An arrow down, along the gap above the lower box, and down into it.

        It leaves and enters ``apart`` px from the middles, on the sides that face each other.
        """
        side = apart if start.x < end.x else -apart
        gap = end.top - (self._down - HEIGHT) / 2
        first, last = start.x + side, end.x - side
        self._path(kind, (first, start.bottom), (first, gap), (last, gap), (last, end.top))

    def around(self, start: Box, end: Box, kind: str = "joint") -> None:
        """An arrow down the gap right of both boxes of a column."""
        lane, out = start.right + 14, start.y + HEIGHT / 3
        self._path(kind, (start.right, out), (lane, out), (lane, end.y), (end.right, end.y))

    def across(self, start: Box, end: Box) -> None:
        """An arrow to the right, along the gap before the right box's column, into its side."""
        lane = end.left - (self._across - WIDTH) / 2
        self._path(
            "flow", (start.right, start.y), (lane, start.y), (lane, end.y), (end.left, end.y)
        )

    def heading(self, row: float, text: str) -> None:
        """A line of text above a row."""
        self._text(_MARGIN, _TOP + row * self._down - 9, text)

    def note(self, kind: str, text: str) -> None:
        """A line below the picture that explains an arrow's or a box' colour."""
        self._bottom += 24
        colour = ARROWS[kind] if kind in ARROWS else BOXES[kind][1]
        self._parts.append(
            f"<rect x='{_MARGIN}' y='{self._bottom - 6:g}' width='24' height='5' fill='{colour}'/>"
        )
        self._text(_MARGIN + 34, self._bottom, text)

    def render(self) -> str:
        """The file's text."""
        width, height = self._right + _MARGIN, self._bottom + _MARGIN
        return "\n".join(self._lines(width, height)) + "\n"

    def _lines(self, width: float, height: float) -> Iterator[str]:
        yield (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:g}' height='{height:g}' "
            f"viewBox='0 0 {width:g} {height:g}' {_FONT} role='img'>"
        )
        yield f"<title>{escape(self._title)}</title>"
        yield "<defs>"
        for kind in sorted(self._arrows):
            yield (
                f"<marker id='{kind}' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' "
                f"markerHeight='7' orient='auto'><path d='M0 0L8 4L0 8z' fill='{ARROWS[kind]}'/>"
                "</marker>"
            )
        yield "</defs>"
        yield "<rect width='100%' height='100%' fill='white'/>"
        yield (
            f"<text x='{_MARGIN}' y='24' font-size='15' font-weight='bold' fill='#1a1a1a'>"
            f"{escape(self._title)}</text>"
        )
        yield from self._parts
        yield "</svg>"

    def _path(self, kind: str, *points: tuple[float, float]) -> None:
        self._arrows.add(kind)
        self._right = max(self._right, *(x for x, _ in points))
        line = "L".join(f"{x:g} {y:g}" for x, y in points)
        self._parts.append(
            f"<path d='M{line}' fill='none' stroke='{ARROWS[kind]}' stroke-width='1.7' "
            f"marker-end='url(#{kind})'/>"
        )

    def _text(self, x: float, y: float, text: str) -> None:
        self._parts.append(
            f"<text x='{x:g}' y='{y:g}' font-size='12.5' fill='#1a1a1a'>{escape(text)}</text>"
        )
