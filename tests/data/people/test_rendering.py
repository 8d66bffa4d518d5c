import filecmp
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lilliput.data import read_dataset
from lilliput.data.motion.skeleton import Motion
from lilliput.data.people.body import Body
from lilliput.data.people.captured import Captured, find_labels
from lilliput.data.people.exposure import Sensor
from lilliput.data.people.keyed import Span, Take
from lilliput.data.people.performing import choose_window, draw_take, sample
from lilliput.data.people.poses import STAND, pose_directions
from lilliput.data.people.render import PEOPLE_CLASSES, SHARES, render_clip
from lilliput.data.people.scenery import background
from lilliput.data.people.write import MANIFEST, write_people
from lilliput.errors import DataError


def _take(frames: int, *spans: Span) -> Take:
    poses = np.repeat(STAND[None], frames, axis=0)
    return Take(Motion("", "", pose_directions(poses), np.ones((frames, 3))), spans)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("cmu02_01 walk", ("walking",)),
        ("cmu02_03 run/jog", ("running",)),
        ("cmu01_02 playground - climb", ()),
        ("cmu05_02 dance - jump", ()),
        ("kk_CombatMelee_Melee_Unarmed_Attack_Kick x", ("kicking",)),
        ("kk_Simulation_Sit_Chair_StandUp x", ("standing_up",)),
        ("kk_General_Death_A Death_A", ("falling",)),
        ("02_06 bend over, scoop up, rise", ("picking_up", "bending")),
        ("something else", None),
    ],
)
def test_labels_of_texts(text: str, labels: tuple[str, ...] | None) -> None:
    assert find_labels(text) == labels


def test_a_window_shows_the_action_and_tells_what_else_is_done() -> None:
    take = _take(200, Span("standing", 0, 150), Span("waving", 150, 170), Span("sitting", 170, 200))
    for seed in range(30):
        moments, labels = choose_window(np.random.default_rng(seed), take, "waving", 60, 16)
        start, stop = moments[0], moments[-1]
        assert len(moments) == 16
        assert stop - start == pytest.approx(60)
        expected = set()
        for span in take.spans:
            frames = np.arange(span.start, span.stop, 0.01)
            inside = ((frames >= start) & (frames < stop)).sum() / 100
            if inside >= 24 - 0.02 or inside >= (span.stop - span.start) / 2 - 0.02:
                expected.add(span.label)
        assert labels == expected
        assert "waving" in labels


def test_short_takes_go_on() -> None:
    still = _take(20).motion
    takes = [replace(still, name=text, text=text) for text in ("walk", "death")]
    captured = Captured(takes)
    assert captured.counts == {"walking": 1, "falling": 1}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        for label in ("walking", "falling"):
            take = draw_take(rng, captured, label, 60)
            assert len(take.motion) >= 60
            assert label in {span.label for span in take.spans}


def test_moments_between_frames_by_hand() -> None:
    values = np.array([[0.0], [2.0], [6.0]])
    assert sample(values, np.array([0, 0.5, 1.75, 2.0]))[:, 0].tolist() == [0, 1, 5, 6]


def test_clips_are_what_they_promise() -> None:
    seen: set[str] = set()
    for seed in range(60):
        clip = render_clip(np.random.default_rng(seed), Captured([]))
        frames, height, width, _ = clip.frames.shape
        assert clip.frames.dtype == np.uint8
        assert height == width
        assert 10 <= height <= 128
        assert height % 2 == 0
        assert 1.4 <= frames / clip.fps <= 3.0
        assert list(clip.labels) == [name for name in PEOPLE_CLASSES if name in clip.labels]
        seen |= set(clip.labels)
    assert len(seen) > 15
    assert set(SHARES) - {""} == set(PEOPLE_CLASSES)


def test_the_same_seed_gives_the_same_clip() -> None:
    first, again, other = (
        render_clip(np.random.default_rng(seed), Captured([])) for seed in (4, 4, 5)
    )
    assert (first.frames == again.frames).all()
    assert first.labels == again.labels
    assert first.frames.shape != other.frames.shape or (first.frames != other.frames).any()


def test_the_data_set_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    done: list[int] = []
    write_people(tmp_path / "one", 60, 3, workers=1, progress=done.append)
    write_people(tmp_path / "two", 60, 3, workers=2)
    assert sum(done) == 60
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert len(files) == 60 + 4
    _, differ, failed = filecmp.cmpfiles(tmp_path / "one", tmp_path / "two", files, shallow=False)
    assert not differ and not failed
    dataset = read_dataset(tmp_path / "one" / MANIFEST)
    assert dataset.labels.class_names == PEOPLE_CLASSES
    assert dataset.synthetic
    assert sum(len(clips) for clips in dataset.splits.values()) == 60
    assert all(clip.probe().num_frames >= 14 for clip in dataset.splits["train"])


def test_finished_clips_are_kept_and_others_refused(tmp_path: Path) -> None:
    write_people(tmp_path / "clips", 2, 3, workers=1)
    before = (tmp_path / "clips" / MANIFEST).stat().st_mtime_ns
    write_people(tmp_path / "clips", 2, 3, workers=1)
    assert (tmp_path / "clips" / MANIFEST).stat().st_mtime_ns == before
    with pytest.raises(DataError, match="holds something else"):
        write_people(tmp_path / "clips", 3, 3, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


@pytest.mark.parametrize("seed", range(5))
def test_exposure_holds_the_brightness_it_drew(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sensor = replace(Sensor.draw(rng), light="day", brightness=0.4, lamps=0, contrast=1.0, noise=0)
    for scene in (0.05, 0.5):  # dark or bright, it is the same
        canvas = scene * rng.uniform(0.8, 1.2, (4, 16, 16, 3)).astype(np.float32)
        assert sensor.expose(rng, canvas).mean() / 255 == pytest.approx(0.4, abs=0.06)


def test_at_night_it_is_darker_than_by_day() -> None:
    rng = np.random.default_rng(0)
    drawn = [Sensor.draw(rng) for _ in range(300)]
    night, day = (
        [sensor.brightness for sensor in drawn if sensor.light == light]
        for light in ("night", "day")
    )
    assert max(night) < 0.25 < np.median(day)
    assert min(day) > 0.2


def test_a_mask_is_white_on_black_or_black_on_white() -> None:
    bodies = [Body.draw(np.random.default_rng(seed), "mask") for seed in range(3)]
    assert {colour for body in bodies for colour in body.colours.values()} == {(1.0, 1.0, 1.0)}
    rng = np.random.default_rng(0)
    assert background(rng, 20, 10.0, "mask").max() == 0
