import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from unittest.mock import Mock

import av
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lilliput.checkpoint import Checkpoint
from lilliput.config import SamplingConfig, change_views
from lilliput.data import read_dataset
from lilliput.errors import ConfigError, VideoError
from lilliput.evaluation.evaluate import score_split
from lilliput.inference.recognizer import Prediction, Recognizer
from lilliput.inference.windows import SourceFrame, cut_windows
from lilliput.video.clock import LONGEST_HOLD
from lilliput.video.decode import LazyFrame, decode_video

Noise = Callable[..., np.ndarray]
WriteVideo = Callable[..., Path]


def _with_all_clips(checkpoint: Checkpoint) -> Checkpoint:
    sampling = SamplingConfig(method="random", num_frames=4, evaluation="all")
    return replace(checkpoint, config=checkpoint.config.model_copy(update={"sampling": sampling}))


def _with(checkpoint: Checkpoint, **evaluation: object) -> Checkpoint:
    changed = checkpoint.config.evaluation.model_copy(update=evaluation)
    return replace(checkpoint, config=checkpoint.config.model_copy(update={"evaluation": changed}))


@pytest.mark.parametrize(
    "views",
    [{}, {"num_clips": 3}, {"flip": False}, {"flip_merge": "mean", "num_clips": 2}, {"all": True}],
)
def test_a_file_gets_the_scores_that_evaluation_gives_it(
    micro_checkpoint: Checkpoint, tiny_folder: Path, views: dict[str, object]
) -> None:
    if views.pop("all", False):
        checkpoint = _with_all_clips(micro_checkpoint)
    else:
        checkpoint = _with(micro_checkpoint, **views)
    dataset = read_dataset(tiny_folder)
    scored = score_split(checkpoint, dataset, "val")
    recognizer = Recognizer(checkpoint)
    for clip, scores in zip(dataset.split("val"), scored.scores, strict=True):
        prediction = recognizer.predict(clip.path)
        np.testing.assert_allclose(prediction.scores, scores, atol=1e-6)
        assert len(prediction.windows) == 1


def test_all_clips_of_a_video_give_the_highest_of_their_scores(
    micro_checkpoint: Checkpoint, noise: Noise, tmp_path: Path, write_lossless: WriteVideo
) -> None:
    frames = noise(23, 16, 16, 4)  # five clips of 4 frames, and 3 frames that are dropped
    path = write_lossless(tmp_path / "a.mp4", frames)
    checkpoint = _with_all_clips(micro_checkpoint)
    prediction = Recognizer(checkpoint, window_seconds=9).predict(path)
    centre = Recognizer(replace(checkpoint, config=change_views(
        checkpoint.config, ["sampling.evaluation=centre"]
    )))  # fmt: skip
    alone = [centre.predict(frames[start : start + 4]).scores for start in range(0, 20, 4)]
    np.testing.assert_allclose(prediction.scores, np.max(alone, axis=0), atol=1e-6)
    short = Recognizer(checkpoint).predict(frames[:3]).scores  # looped
    looped = centre.predict(frames[[0, 1, 2, 0]]).scores
    np.testing.assert_allclose(short, looped, atol=1e-6)


def test_windows_of_any_lengths_are_scored_together(
    micro_checkpoint: Checkpoint, noise: Noise
) -> None:
    """Tracks of footage end at any time; a long window has many clips."""
    recognizer = Recognizer(_with_all_clips(micro_checkpoint))
    windows = [
        [SourceFrame(frame.clone) for frame in torch.from_numpy(noise(count, 16, 16, count))
         .permute(0, 3, 1, 2)]
        for count in (3, 300, 9)
    ]  # fmt: skip
    together = recognizer.score_windows(windows)
    alone = [recognizer.score_windows([window])[0] for window in windows]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_the_windows_of_a_video_draw_their_own_segments(
    micro_checkpoint: Checkpoint, noise: Noise, tmp_path: Path, write_lossless: WriteVideo
) -> None:
    second = noise(10, 16, 16, 4)
    frames = np.concatenate([second] * 2)  # at 10 fps: windows of one second that are the same
    prediction = Recognizer(_with(micro_checkpoint, num_clips=2)).predict(
        write_lossless(tmp_path / "a.mp4", frames)
    )
    first, _, last = (window.scores for window in prediction.windows)
    assert not np.allclose(first, last)


def test_frames_in_memory_get_the_scores_of_their_file(
    micro_checkpoint: Checkpoint, tmp_path: Path, noise: Noise, write_lossless: WriteVideo
) -> None:
    frames = noise(5, 20, 24, 3)
    recognizer = Recognizer(micro_checkpoint)
    expected = recognizer.predict(write_lossless(tmp_path / "a.mp4", frames)).scores
    reversed_view = frames[..., ::-1].copy()[..., ::-1]  # as of BGR turned to RGB
    for video in (frames, torch.from_numpy(frames), frames.transpose(0, 3, 1, 2), reversed_view):
        np.testing.assert_array_equal(recognizer.predict(video).scores, expected)


@pytest.mark.parametrize(
    "video",
    [
        np.zeros((16, 16, 3), np.uint8),
        np.zeros((0, 16, 16, 3), np.uint8),
        np.zeros((4, 16, 16, 1), np.uint8),
        np.zeros((4, 16, 16, 3), np.float32),
        torch.zeros(4, 3, 16, 16),
        np.array([[None]]),
    ],
)
def test_arrays_that_are_no_video(micro_checkpoint: Checkpoint, video: np.ndarray) -> None:
    with pytest.raises(VideoError, match="is no video"):
        Recognizer(micro_checkpoint).predict(video)


def test_labels_exceed_their_thresholds_best_first(
    micro_checkpoint: Checkpoint, noise: Noise
) -> None:
    frames = noise(5, 16, 16, 0)
    scores = Recognizer(micro_checkpoint).predict(frames).scores
    names = micro_checkpoint.labels.class_names
    everything = Recognizer(replace(micro_checkpoint, thresholds=(0.0,) * 3)).predict(frames)
    assert list(everything.labels) == [names[index] for index in np.argsort(-scores)]
    limits = tuple(float(score) for score in scores)  # reached, not exceeded
    assert Recognizer(replace(micro_checkpoint, thresholds=limits)).predict(frames).labels == ()


def test_a_long_video_is_cut_and_the_best_window_counts(
    micro_checkpoint: Checkpoint, noise: Noise
) -> None:
    frames = noise(75, 16, 16, 1)
    recognizer = Recognizer(micro_checkpoint)  # windows of 1 s, 30 frames
    prediction = recognizer.predict(frames)
    starts = [0, 15, 30, 45]
    assert [round(window.start_seconds * 30) for window in prediction.windows] == starts
    assert [round(window.end_seconds * 30) for window in prediction.windows] == [
        start + 30 for start in starts
    ]
    alone = [recognizer.predict(frames[start : start + 30]).scores for start in starts]
    np.testing.assert_allclose([w.scores for w in prediction.windows], alone, atol=1e-6)
    np.testing.assert_allclose(prediction.scores, np.max(alone, axis=0), atol=1e-6)


def test_one_label_holds_for_all_windows_of_a_long_video(
    micro_single: Checkpoint, noise: Noise
) -> None:
    frames = noise(75, 16, 16, 1)
    recognizer = Recognizer(micro_single)
    prediction = recognizer.predict(frames)
    alone = [recognizer.predict(frames[start : start + 30]) for start in (0, 15, 30, 45)]
    rows = np.array([one.scores for one in alone])
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose([w.scores for w in prediction.windows], rows, atol=1e-6)
    np.testing.assert_allclose(prediction.scores, rows.mean(axis=0), atol=1e-6)
    best = int(prediction.scores.argmax())
    for limit, known in ((0.0, True), (float(prediction.scores[best]), False)):  # not exceeded
        told = Recognizer(replace(micro_single, thresholds=(limit,) * 3)).predict(frames)
        assert told.task == "single"
        assert told.labels == ((told.class_names[best],) if known else ())
        assert told.labels_in_words == (told.class_names[best] if known else "unknown")
        assert told.probability == (told.scores[best] if known else None)


def test_the_window_length_can_be_chosen(micro_checkpoint: Checkpoint, noise: Noise) -> None:
    frames = noise(40, 16, 16, 1)
    assert len(Recognizer(micro_checkpoint, window_seconds=100).predict(frames).windows) == 1
    assert len(Recognizer(micro_checkpoint, window_seconds=1 / 30).predict(frames).windows) == 40
    for length in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match=r"window_seconds = .*: give a length"):
            Recognizer(micro_checkpoint, window_seconds=length)


@pytest.mark.parametrize("num_clips", [1, 4])
def test_one_frame_is_enough(micro_checkpoint: Checkpoint, noise: Noise, num_clips: int) -> None:
    prediction = Recognizer(_with(micro_checkpoint, num_clips=num_clips)).predict(
        noise(1, 10, 10, 0)
    )
    assert prediction.scores.shape == (3,)


def test_a_list_goes_on_after_a_bad_file(
    micro_checkpoint: Checkpoint, tiny_folder: Path, tmp_path: Path
) -> None:
    good = sorted((tiny_folder / "test").iterdir())
    (tmp_path / "bad.mp4").write_text("no video")
    results = Recognizer(micro_checkpoint).predict(
        [good[0], tmp_path / "bad.mp4", tmp_path / "none.mp4", str(good[1])]
    )
    assert [type(result) for result in results] == [Prediction, VideoError, VideoError, Prediction]
    assert [str(result).split(":")[0] for result in results[1:3]] == [
        str(tmp_path / "bad.mp4"),
        str(tmp_path / "none.mp4"),
    ]
    assert results[3].source == str(good[1])


def test_a_damaged_file_gives_what_it_has_and_says_so(
    micro_checkpoint: Checkpoint, tmp_path: Path, noise: Noise, write_lossless: WriteVideo
) -> None:
    path = write_lossless(tmp_path / "a.avi", noise(20, 32, 32, 0))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    clip = decode_video(path)
    assert 0 < len(clip) < 20
    assert clip.damage is not None
    prediction = Recognizer(micro_checkpoint, window_seconds=9).predict(path)
    assert prediction.warning == clip.damage
    expected = Recognizer(micro_checkpoint, window_seconds=9).predict(clip[:]).scores
    np.testing.assert_allclose(prediction.scores, expected, atol=1e-6)


def test_a_run_folder_can_be_loaded(micro_file: Path, noise: Noise) -> None:
    frames = noise(4, 16, 16, 0)
    by_folder, by_file = (Recognizer.load(path) for path in (micro_file.parent, str(micro_file)))
    np.testing.assert_array_equal(by_folder.predict(frames).scores, by_file.predict(frames).scores)


@given(count=st.integers(0, 60), length=st.integers(1, 20))
def test_windows_cover_every_frame_once_or_twice(count: int, length: int) -> None:
    windows = [
        (start, list(window)) for start, window in cut_windows(enumerate(range(count)), length)
    ]
    assert all(values == list(range(start, start + len(values))) for start, values in windows)
    assert {value for _, values in windows for value in values} == set(range(count))
    if count <= length:
        assert len(windows) == min(count, 1)
        return
    assert all(len(values) == length for _, values in windows)
    assert windows[-1][1][-1] == count - 1
    hops = np.diff([start for start, _ in windows])
    assert (hops[:-1] == max(1, length // 2)).all()
    assert 0 < hops[-1] <= max(1, length // 2)


def test_memory_does_not_grow_with_the_video() -> None:
    alive: weakref.WeakSet[torch.Tensor] = weakref.WeakSet()
    most = 0

    def footage() -> Iterator[torch.Tensor]:
        nonlocal most
        for _ in range(500):
            frame = torch.zeros(3, 2, 2)
            alive.add(frame)
            most = max(most, len(alive))
            yield frame

    count = sum(1 for _ in cut_windows(enumerate(footage()), 10))
    assert count == 99
    assert most <= 17  # a window in use, the half of it that came since, and two in hand


def _write_at(path: Path, frames: np.ndarray, seconds: list[float]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", 10, options={"crf": "0", "bf": "0"})
        stream.width, stream.height = frames.shape[2], frames.shape[1]
        stream.pix_fmt = "rgb24"
        stream.codec_context.time_base = Fraction(1, 1000)
        for pixels, second in zip(frames, seconds, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(1000 * second), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_windows_are_cut_and_sampled_in_seconds(
    micro_checkpoint: Checkpoint, tmp_path: Path, noise: Noise
) -> None:
    """A camera that writes 10 pictures a second leaves out those that show nothing new."""
    frames = noise(60, 16, 16, 4)
    stood = [*range(0, 20), *range(20, 50, 3), *range(50, 60)]
    even = frames.copy()
    even[20:50] = np.repeat(frames[20:50:3], 3, axis=0)
    recognizer = Recognizer(micro_checkpoint, window_seconds=2)
    expected = recognizer.predict(_write_at(tmp_path / "a.mkv", even, [i / 10 for i in range(60)]))
    path = _write_at(tmp_path / "b.mkv", frames[stood], [i / 10 for i in stood])
    found = recognizer.predict(path)
    assert [window.start_seconds for window in found.windows] == [0, 1, 2, 3, 4]
    assert [window.end_seconds for window in found.windows] == [2, 3, 4, 5, 6]
    for ours, theirs in zip(found.windows, expected.windows, strict=True):
        np.testing.assert_array_equal(ours.scores, theirs.scores)
    assert found.warning is None
    np.testing.assert_array_equal(decode_video(path)[:], decode_video(tmp_path / "a.mkv")[:])


def test_a_gap_moves_nothing(micro_checkpoint: Checkpoint, tmp_path: Path, noise: Noise) -> None:
    frames = noise(60, 16, 16, 4)
    seconds = [i / 10 if i < 30 else 300 + i / 10 for i in range(60)]
    recognizer = Recognizer(micro_checkpoint, window_seconds=1)
    found = recognizer.predict(_write_at(tmp_path / "a.mp4", frames, seconds))
    spans = [(window.start_seconds, window.end_seconds) for window in found.windows]
    assert all(end <= 2.9 + LONGEST_HOLD or start >= 303 for start, end in spans)
    assert spans[0][0] == 0 and spans[-1] == (305, 306)
    assert found.warning == "no pictures from 2.9 to 303.0 s"


def test_a_window_of_wide_pictures_is_small(
    micro_checkpoint: Checkpoint, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a header claims, whole pictures of a window take no more than a bound."""
    recognizer = Recognizer(micro_checkpoint, window_seconds=9)
    pictures = [Mock(LazyFrame, num_bytes=3 * 16 * 640, is_scaled=False) for _ in range(20)]
    for number, picture in enumerate(pictures):
        picture.to_rgb.return_value = noise(1, 16, 640, number)[0].transpose(2, 0, 1)
    for bound, is_ready in ((2**30, False), (20 * 3 * 16 * 640 - 1, True)):
        monkeypatch.setattr("lilliput.inference.recognizer._MAX_WINDOW_BYTES", bound)
        taken = list(recognizer._take(enumerate(pictures), 20))
        assert all((frame.ready is not None) == is_ready for _, frame in taken)
        assert all(hasattr(frame, "read") != is_ready for _, frame in taken)


def test_a_picture_that_stands_is_prepared_once(micro_checkpoint: Checkpoint) -> None:
    picture = Mock(LazyFrame, num_bytes=1, is_scaled=False)
    taken = [
        frame for _, frame in Recognizer(micro_checkpoint)._take([(0, picture), (1, picture)], 9)
    ]
    assert taken[0] is taken[1]
