"""The synthetic data set: its layout, its classes, and that it asks for motion."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from lilliput.data.synthetic import TINYVIRAT_CLASSES, write_synthetic
from lilliput.data.synthetic.actions import ACTIONS
from lilliput.data.synthetic.plan import ClipPlan, class_quotas, plan_dataset
from lilliput.data.synthetic.render import compose, expose, render_clip, stage
from lilliput.data.synthetic.scene import SIDE, look_at, view
from lilliput.data.synthetic.shapes import bounds, box, disc, draw
from lilliput.errors import DataError

NUM_FRAMES = 30
COUNTS = {"num_train": 13, "num_val": 7, "num_test": 5}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("data") / "synthetic"
    write_synthetic(folder, **COUNTS, seed=3, workers=1)
    yield folder


def read_list(root: Path, name: str) -> list[dict]:
    return json.loads((root / f"tiny_{name}.json").read_text())


def plans(num: int = 300, seed: int = 1) -> dict[str, list[ClipPlan]]:
    return plan_dataset({"train": num, "val": num, "test": num}, seed)


def picture(name: str, seed: int, size: int = 64) -> np.ndarray:
    """The actors of one class before a plain wall, ``(3, T, S, S)``."""
    shapes = ACTIONS[name](np.random.default_rng(seed), NUM_FRAMES).shapes
    low, high = bounds(shapes)
    side = float((high - low).max()) * 1.1
    canvas = np.full((3, NUM_FRAMES, size, size), 0.5, np.float32)
    for shape in shapes:
        draw(canvas, shape.placed((low + high - side) / 2, size / side), 1.0)
    return canvas


# --- the files


def test_lists_have_the_published_layout(root: Path) -> None:
    patterns = {
        "train": r"SYNTHETIC_S_\d{6}_\d{6}/\d{6}\.mp4",
        "val": r"SYNTHETIC_S_\d{6}_\d{6}/\d{5}\.mp4",
        "test": r"\d{5}\.mp4",
    }
    for split, pattern in patterns.items():
        entries = read_list(root, f"{split}_v2")
        assert len(entries) == COUNTS[f"num_{split}"]
        for entry in entries:
            assert re.fullmatch(pattern, entry["path"])
            assert Path(entry["path"]).stem == entry["id"]
            assert entry["label"] and set(entry["label"]) <= set(TINYVIRAT_CLASSES)
            assert entry["video_id"].startswith("SYNTHETIC_S_")
            if split != "test":
                assert entry["path"].startswith(entry["video_id"] + "/")
    assert json.loads((root / "class_map.json").read_text()) == {
        name: index for index, name in enumerate(TINYVIRAT_CLASSES)
    }


def test_videos_are_as_the_lists_say(root: Path) -> None:
    listed = set()
    for split in ("train", "val", "test"):
        for entry in read_list(root, f"{split}_v2"):
            path = root / "videos" / split / entry["path"]
            listed.add(path)
            with av.open(str(path)) as container:
                assert container.streams.video[0].average_rate == 30
                shapes = [(f.height, f.width) for f in container.decode(video=0)]
            assert [len(shapes), *shapes[0]] == entry["dim"]
    assert set((root / "videos").rglob("*.mp4")) == listed


def test_public_test_list_withholds_labels_only(root: Path) -> None:
    public = read_list(root, "test_v2_public")
    labelled = read_list(root, "test_v2")
    assert [(e["id"], e["path"], e["dim"]) for e in public] == [
        (e["id"], e["path"], e["dim"]) for e in labelled
    ]
    assert all("label" not in entry and "video_id" not in entry for entry in public)


def test_readme_says_synthetic(root: Path) -> None:
    text = (root / "README.txt").read_text()
    assert "SYNTHETIC" in text and "seed 3" in text and "13 training" in text


def test_finished_set_is_kept_and_anything_else_refused(root: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    write_synthetic(root, **COUNTS, seed=3)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    with pytest.raises(DataError, match="holds something else"):
        write_synthetic(root, **COUNTS, seed=4)
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(DataError, match="holds something else"):
        write_synthetic(tmp_path, **COUNTS)
    with pytest.raises(DataError, match="is a file"):
        write_synthetic(tmp_path / "mine.txt", **COUNTS)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_synthetic(
            tmp_path / "d", num_train=1, num_val=0, num_test=0, workers=1, progress=interrupt
        )
    assert list(tmp_path.iterdir()) == []


def test_workers_change_no_byte_and_progress_counts_every_clip(root: Path, tmp_path: Path) -> None:
    finished: list[int] = []
    (tmp_path / "d").mkdir()
    write_synthetic(tmp_path / "d", **COUNTS, seed=3, workers=2, progress=finished.append)
    assert sum(finished) == sum(COUNTS.values())
    files = {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")}
    again = {p.relative_to(tmp_path / "d"): p.read_bytes() for p in (tmp_path / "d").rglob("*.*")}
    assert files == again


# --- the plan


def test_seed_decides_the_plan() -> None:
    assert plans(40, 1) == plans(40, 1)
    assert plans(40, 1) != plans(40, 2)


def test_every_class_occurs_and_the_tail_is_long() -> None:
    assert min(class_quotas(150)) >= 1
    assert [sum(class_quotas(n)) for n in (0, 1, 26, 150, 1001)] == [0, 1, 26, 150, 1001]
    for clips in plans(150).values():
        counts = Counter(label for clip in clips for label in stage(clip).labels)
        assert set(counts) == set(TINYVIRAT_CLASSES)
        ordered = [count for _, count in counts.most_common()]
        assert ordered[0] > 10 * ordered[-1]
        assert sum(ordered[:5]) > 0.5 * sum(ordered)
        assert {1, 2, 3} <= {len(stage(clip).labels) for clip in clips}


def test_priors_do_not_tell_temporal_pairs_apart() -> None:
    quota = dict(zip(TINYVIRAT_CLASSES, class_quotas(1000), strict=True))
    for one, other in (
        ("Opening", "Closing"),
        ("Entering", "Exiting"),
        ("Push", "Pull"),
        ("vehicle_starting", "vehicle_stopping"),
        ("vehicle_turning_left", "vehicle_turning_right"),
    ):
        assert abs(quota[one] - quota[other]) <= 1


def test_recordings_stay_in_their_split_and_test_scenes_are_new() -> None:
    names = {s: {clip.recording.name for clip in clips} for s, clips in plans().items()}
    assert not names["train"] & names["val"] and not (names["train"] | names["val"]) & names["test"]
    scenes = {s: {clip.recording.scene.number for clip in c} for s, c in plans().items()}
    assert scenes["train"] & scenes["val"] and scenes["val"] - scenes["train"]
    assert not (scenes["train"] | scenes["val"]) & scenes["test"]
    per_recording = Counter(clip.recording.name for clip in plans()["train"])
    assert max(per_recording.values()) > 1


def test_sizes_and_lengths_are_in_range() -> None:
    for clips in plans().values():
        assert all(10 <= clip.size <= 128 and clip.size % 2 == 0 for clip in clips)
        assert all(24 <= clip.num_frames <= 90 for clip in clips)


def test_test_split_is_smaller_darker_and_noisier() -> None:
    def means(split: str) -> np.ndarray:
        return np.mean(
            [(-c.size, -c.recording.brightness, c.recording.noise) for c in plans()[split]], axis=0
        )

    assert (means("test") > means("val")).all()
    np.testing.assert_allclose(means("val"), means("train"), rtol=0.25)


# --- the pictures


def test_a_disc_covers_its_area() -> None:
    canvas = np.zeros((3, 1, 40, 40), np.float32)
    draw(canvas, disc((20.3, 19.1), 9.0, (1.0, 0.5, 0.0)), 1.0)
    np.testing.assert_allclose(
        canvas.sum(axis=(1, 2, 3)), np.pi * 81 * np.array([1, 0.5, 0]), rtol=5e-3
    )


def test_a_moving_box_is_drawn_where_it_is_even_outside() -> None:
    canvas = np.zeros((3, 3, 16, 16), np.float32)
    draw(canvas, box([(4, 8), (12, 8), (40, 8)], (2, 3), (1.0, 1.0, 1.0)), 1e-3)
    expected = np.zeros((3, 16, 16), bool)
    expected[0, 5:11, 2:6] = expected[1, 5:11, 10:14] = True
    np.testing.assert_array_equal(canvas[0] > 0.5, expected)


def test_rendering_repeats_and_has_the_planned_shape() -> None:
    plan = plans(8)["val"][5]
    frames = render_clip(plan)
    assert frames.shape == (plan.num_frames, 3, plan.size, plan.size)
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames, render_clip(plan))


def test_without_actors_the_background_alone_is_left() -> None:
    plan = plans(8)["train"][2]
    empty = compose(plan, actors=False)
    np.testing.assert_array_equal(empty, np.repeat(empty[:, :1], plan.num_frames, axis=1))
    with_actors = compose(plan)
    same = (with_actors == empty).all(axis=0)
    assert 0.3 < same.mean() < 0.99
    # Light and noise are those of the clip with actors: untouched pixels are identical.
    seen, unseen = render_clip(plan), expose(empty, plan)
    untouched = np.broadcast_to(same[:, None], seen.shape)
    np.testing.assert_array_equal(seen[untouched], unseen[untouched])


def test_background_does_not_know_the_class() -> None:
    plan = plans(8)["train"][2]
    other = ClipPlan(**{**vars(plan), "subject": "Riding"})
    np.testing.assert_array_equal(render_clip(plan, actors=False), render_clip(other, actors=False))


def test_a_look_at_the_scene_is_an_area_mean() -> None:
    scene = plans(8)["train"][0].recording.scene

    class Everything(np.random.Generator):
        """Draws the whole view, where the mean over blocks is known."""

        def uniform(self, low=0.0, high=1.0, size=None):  # type: ignore[no-untyped-def]
            return float(SIDE) if size is None else np.zeros(size)

    seen = look_at(scene, Everything(np.random.PCG64(0)), 16, 1.0)
    blocks = view(scene).reshape(3, 16, SIDE // 16, 16, SIDE // 16).mean(axis=(2, 4))
    np.testing.assert_allclose(seen, blocks, atol=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("one", "other"), [("Opening", "Closing"), ("Entering", "Exiting"), ("Push", "Pull")]
)
def test_pairs_are_each_other_backwards(one: str, other: str, seed: int) -> None:
    forwards, backwards = picture(one, seed), picture(other, seed)
    np.testing.assert_array_equal(forwards, backwards[:, ::-1])
    assert not np.array_equal(forwards, backwards)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_turning_right_is_turning_left_in_a_mirror(seed: int) -> None:
    left = picture("vehicle_turning_left", seed)
    right = picture("vehicle_turning_right", seed)
    # Coverage at an edge may round differently; nothing else may differ.
    assert np.abs(left - right[..., ::-1]).mean() < 1e-3
    assert np.abs(left - right).mean() > 1e-2


@pytest.mark.parametrize("seed", range(4))
def test_a_left_turn_curves_to_the_left(seed: int) -> None:
    body = ACTIONS["vehicle_turning_left"](np.random.default_rng(seed), NUM_FRAMES).shapes[1]
    steps = np.diff(body.center, axis=0)
    steps = steps[np.hypot(*steps.T) > 1e-3]
    cross = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    # The picture's y axis points down: counterclockwise means negative.
    assert cross.sum() < 0 and (cross < 1e-6).all()


@pytest.mark.parametrize(
    ("name", "early", "late"),
    [("vehicle_starting", 0.0, 1.0), ("vehicle_stopping", 1.0, 0.0)],
)
@pytest.mark.parametrize("seed", range(4))
def test_vehicles_start_and_stop(name: str, early: float, late: float, seed: int) -> None:
    shapes = ACTIONS[name](np.random.default_rng(seed), NUM_FRAMES).shapes
    speed = np.hypot(*np.diff(shapes[1].center, axis=0).T)
    assert speed[0] > 0 if early else speed[0] == pytest.approx(0, abs=1e-6)
    assert speed[-1] > 0 if late else speed[-1] == pytest.approx(0, abs=1e-6)
