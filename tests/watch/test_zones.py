import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lilliput.watch.cameras import CameraSettings, ZoneSettings
from lilliput.watch.scene import Box
from lilliput.watch.zones import Regions, contains

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
LOWER_HALF = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
corner = st.tuples(st.integers(0, 12), st.integers(0, 12))


def _standing_at(x: float, y: float) -> Box:
    return Box(x - 5, y - 30, x + 5, y)


def _regions(**settings: object) -> Regions:
    camera = CameraSettings.model_validate({"name": "gate", "source": "a.mp4", **settings})
    return Regions(camera, (200, 100))


@given(polygon=st.lists(corner, min_size=3, max_size=8, unique=True), point=corner)
def test_contains_agrees_with_opencv(
    polygon: list[tuple[int, int]], point: tuple[int, int]
) -> None:
    # Small whole numbers make many points lie on edges and corners, which count as inside.
    contour = np.array(polygon, np.float32)[:, None]
    expected = cv2.pointPolygonTest(contour, (float(point[0]), float(point[1])), False) >= 0
    assert contains(polygon, point) == expected


def test_contains_agrees_with_rasterisation() -> None:
    polygon = [(0.1, 0.2), (0.9, 0.1), (0.5, 0.5), (0.8, 0.95), (0.2, 0.7)]
    size = 200
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.round(np.array(polygon) * (size - 1)).astype(np.int32)], 1)
    centres = np.linspace(0, 1, size)
    ours = np.array([[contains(polygon, (x, y)) for x in centres] for y in centres])
    assert 0.2 < mask.mean() < 0.8
    assert (ours == mask).mean() > 0.99  # the rest are pixels that an edge passes through


def test_the_foot_decides_what_zone_someone_is_in() -> None:
    zones = [
        ZoneSettings(name="road", polygon=LOWER_HALF),
        ZoneSettings(name="left", polygon=LEFT_HALF),
    ]
    regions = _regions(zones=zones)
    assert regions.zones_of(_standing_at(40, 80)) == ("road", "left")
    assert regions.zones_of(_standing_at(40, 40)) == ("left",)
    # Most of this box is in the upper half.
    assert regions.zones_of(Box(150, 0, 160, 51)) == ("road",)
    assert regions.zones_of(_standing_at(150, 40)) == ()


@pytest.mark.parametrize(
    ("masks", "kept"),
    [
        ({}, {"left", "right"}),
        ({"include": (LEFT_HALF,)}, {"left"}),
        ({"ignore": (LEFT_HALF,)}, {"right"}),
        ({"include": (LEFT_HALF, LOWER_HALF)}, {"left", "right"}),
        ({"include": (LOWER_HALF,), "ignore": (LEFT_HALF,)}, {"right"}),
    ],
)
def test_masks(masks: dict[str, object], kept: set[str]) -> None:
    regions = _regions(**masks)
    places = {"left": _standing_at(40, 80), "right": _standing_at(160, 80)}
    assert {name for name, box in places.items() if regions.keeps(box)} == kept


def test_who_leaves_the_picture_stands_at_its_edge() -> None:
    regions = _regions(include=(LOWER_HALF,))
    assert regions.keeps(_standing_at(100, 100))  # on the lower edge, where most people are cut
    assert regions.keeps(_standing_at(-3, 108))
    assert not regions.keeps(_standing_at(-3, 49))
