"""Against a painter that looks at every pixel by itself."""

import numpy as np
import pytest

from lilliput.data.people.body import Body, Solid
from lilliput.data.people.camera import Camera, draw_camera, draw_path, follow_path
from lilliput.data.people.drawing import Strokes, paint, project


def _strokes(rng: np.random.Generator, parts: int, frames: int, size: int) -> Strokes:
    return Strokes(
        start=rng.uniform(-4, size + 4, (parts, frames, 2)),
        end=rng.uniform(-4, size + 4, (parts, frames, 2)),
        radii=rng.uniform(0.5, 4, (parts, frames, 2)),
        depth=rng.uniform(1, 5, (parts, frames)),
        colour=rng.uniform(0, 1, (parts, 3)),
        opacity=rng.uniform(0.3, 1, parts),
    )


def _paint_slowly(
    canvas: np.ndarray, strokes: Strokes, edge: float, light: np.ndarray, depth: float
) -> None:
    for frame in range(canvas.shape[0]):
        for part in np.argsort(-strokes.depth[:, frame]):
            start, end = strokes.start[part, frame], strokes.end[part, frame]
            along = end - start
            for row in range(canvas.shape[1]):
                for column in range(canvas.shape[2]):
                    here = np.array([column + 0.5, row + 0.5])
                    share = np.clip((here - start) @ along / (along @ along), 0, 1)
                    off = here - start - share * along
                    radii = strokes.radii[part, frame]
                    radius = radii[0] + share * (radii[1] - radii[0])
                    cover = np.clip((radius - np.hypot(*off)) / edge + 0.5, 0, 1)
                    cover *= strokes.opacity[part]
                    colour = strokes.colour[part] * (1 + depth * off @ light / radius)
                    canvas[frame, row, column] += cover * (colour - canvas[frame, row, column])


@pytest.mark.parametrize("size", [6, 18])
def test_pixels_are_those_of_a_painter_without_windows(size: int) -> None:
    strokes = _strokes(np.random.default_rng(size), 5, 3, size)
    light = np.array([0.4, -0.8])
    ours, theirs = (np.full((3, size, size, 3), 0.5, dtype) for dtype in (np.float32, np.float64))
    paint(ours, strokes, 1.4, light, 0.3)
    _paint_slowly(theirs, strokes, 1.4, light, 0.3)
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_the_nearer_one_hides_the_other() -> None:
    camera = Camera(np.array([0.0, 1, 5]), np.diag([1.0, -1, -1]), 40.0, np.array([10.0, 10]))
    for way in (1, -1):
        ends = np.array([[0.0, 1, way], [0, 1, way]])
        solids = [
            Solid(ends, ends, (0.5, 0.5), (1.0, 0, 0)),
            Solid(-ends + [0, 2, 0], -ends + [0, 2, 0], (0.3, 0.3), (0.0, 1, 0)),
        ]
        canvas = np.zeros((2, 20, 20, 3), np.float32)
        paint(canvas, project(solids, camera, np.zeros((2, 2))), 1.0, np.zeros(2), 0)
        assert canvas[0, 10, 10].tolist() == ([1, 0, 0] if way == 1 else [0, 1, 0])


def test_projection_by_hand() -> None:
    camera = Camera(np.array([0.0, 1, 5]), np.diag([1.0, -1, -1]), 100.0, np.array([50.0, 40]))
    places, scale, depth = camera.project(np.array([[1.0, 2.0, 0.0], [0, 0, 3]]))
    assert places.tolist() == [[70, 20], [50, 90]]
    assert scale.tolist() == [20, 50]
    assert depth.tolist() == [5, 2]
    assert camera.horizon() == pytest.approx(40)  # it looks straight ahead


@pytest.mark.parametrize("wide", [False, True])
def test_whoever_is_framed_is_in_the_picture(wide: bool) -> None:
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(60):
        points = rng.normal((3, 1, -2), 0.4, (40, 3))
        camera = draw_camera(rng, points, 32, wide=wide)
        seen, _, _ = camera.project(points)
        inside = ((seen >= 0) & (seen <= 32)).all(axis=1)
        assert inside.mean() > 0.6  # bodies are cut off now and then
        shares.append(np.ptp(seen, axis=0).max() / 32)
    assert (np.median(shares) < 0.5) == wide


def test_thermal_cameras_see_no_colors() -> None:
    for seed in range(20):
        body = Body.draw(np.random.default_rng(seed), "thermal")
        assert all(len(set(colour)) == 1 for colour in body.colours.values())
        assert min(body.lengths.values()) > 0.09


def test_a_picture_follows_its_path() -> None:
    picture = np.random.default_rng(0).uniform(size=(14, 14, 3)).astype(np.float32)
    path = np.array([[0, 0], [2, -1], [-2, 1.5]], np.float32)  # right and down
    seen = follow_path(picture, path, 8)
    assert (seen[0] == picture[3:11, 3:11]).all()
    assert (seen[1] == picture[4:12, 1:9]).all()
    between = (picture[1:9, 5:13] + picture[2:10, 5:13]) / 2
    np.testing.assert_allclose(seen[2], between, atol=1e-6)
    assert (follow_path(picture, np.zeros((2, 2), np.float32), 8) == seen[:1]).all()


def test_people_move_with_the_background() -> None:
    camera = Camera(np.array([0.0, 1, 5]), np.diag([1.0, -1, -1]), 40.0, np.array([10.0, 10]))
    ends = np.zeros((2, 3))
    path = np.array([[0, 0], [3, -2]])
    start = project([Solid(ends, ends, (0.1, 0.1), (1.0, 0, 0))], camera, path).start[0]
    assert (start[1] - start[0]).tolist() == [3, -2]


def test_most_cameras_hang_still() -> None:
    rng = np.random.default_rng(0)
    paths = [draw_path(rng, 20, 40) for _ in range(300)]
    assert 0.7 < np.mean([not path.any() for path in paths]) < 0.9
    assert max(np.abs(path).max() for path in paths) <= 20
