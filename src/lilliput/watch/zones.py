"""Where in a camera's picture someone stands."""

from collections.abc import Sequence

from lilliput.watch.cameras import CameraSettings
from lilliput.watch.scene import Box

Point = tuple[float, float]


class Regions:
    """A camera's zones and masks; who stands on an edge stands inside.

    Args:
        camera: Its settings, with polygons in fractions of the picture.
        size: Width and height of the picture, px.
    """

    def __init__(self, camera: CameraSettings, size: tuple[int, int]) -> None:
        self._camera = camera
        self._width, self._height = size

    def keeps(self, box: Box) -> bool:
        """Whether its foot is in an included polygon, where there are any, and in no ignored."""
        foot = self._foot(box)
        include, ignore = self._camera.include, self._camera.ignore
        if include and not any(contains(polygon, foot) for polygon in include):
            return False
        return not any(contains(polygon, foot) for polygon in ignore)

    def zones_of(self, *boxes: Box) -> tuple[str, ...]:
        """Names of the zones that any box's foot is in, in the order of the settings."""
        feet = [self._foot(box) for box in boxes]
        return tuple(
            zone.name
            for zone in self._camera.zones
            if any(contains(zone.polygon, foot) for foot in feet)
        )

    def _foot(self, box: Box) -> Point:
        # Boxes of people who leave reach beyond the picture; polygons do not.
        x, y = box.foot
        return min(max(x / self._width, 0.0), 1.0), min(max(y / self._height, 0.0), 1.0)


def contains(polygon: Sequence[Point], point: Point) -> bool:
    """Whether a point is in a polygon or on its edge.

    A ray from the point to the right crosses the edges an odd number of times where it is
    inside; where a polygon crosses itself, what is enclosed twice lies outside.
    """
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        # Twice the area of the triangle: 0 on the edge's line, its sign tells the side.
        side = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if side == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
        if (y1 > y) != (y2 > y) and (side > 0) == (y2 > y1):
            inside = not inside
    return inside
