from pathlib import Path

import numpy as np
import pytest

from lilliput.data import LabelSet, read_dataset
from lilliput.data.cutting import CutWindows, cut_recordings, hold_out
from lilliput.data.spans import ActionSpan, read_spans
from lilliput.errors import DataError
from lilliput.video.decode import decode_video

FPS = 10
LABELS = LabelSet.from_names(["walk", "wave"])
SPANS = {
    "a": [ActionSpan(3, 8, "wave"), ActionSpan(8, 14, "walk")],
    "b": [ActionSpan(0, 0, "walk")],
}


def levels(count: int) -> np.ndarray:
    """Each frame says which it is by its level."""
    frames = np.zeros((count, 16, 18, 3), np.uint8)
    frames += (10 * np.arange(count, dtype=np.uint8))[:, None, None, None]
    return frames


@pytest.fixture
def recordings(tmp_path: Path, write_lossless) -> dict[str, dict[str, Path]]:
    return {
        "train": {"a": write_lossless(tmp_path / "in" / "a.mp4", levels(21), FPS)},
        "val": {"b": write_lossless(tmp_path / "in" / "b.mp4", levels(3), FPS)},
    }


def cut(recordings, out: Path, labels: LabelSet = LABELS, **changes):
    windows = CutWindows(**({"window_seconds": 0.8, "hop_seconds": 0.4} | changes))
    return cut_recordings(recordings, SPANS, out, labels=labels, windows=windows)


def test_clips_around_their_middles(recordings, tmp_path: Path) -> None:
    manifest = cut(recordings, tmp_path / "out")
    dataset = read_dataset(manifest)
    assert dataset.problems == ()
    assert dataset.labels == LABELS
    train, val = dataset.splits["train"], dataset.splits["val"]
    # 8 frames, every 4: labelled with what goes on in the middle, first and last frame included.
    assert [(c.clip_id, c.labels, c.recording) for c in train] == [
        ("a/000000", (), "a"),
        ("a/000004", (1,), "a"),
        ("a/000008", (0, 1), "a"),
        ("a/000012", (0,), "a"),
        ("a/000016", (), "a"),
        ("a/000020", (), "a"),
    ]
    assert [(c.clip_id, c.labels) for c in val] == [("b/000000", (0,))]
    shown = [[round(f.float().mean().item() / 10) for f in decode_video(c.path)[:]] for c in train]
    assert shown == [
        list(range(0, 4)),  # the recording begins in its middle
        list(range(0, 8)),
        list(range(4, 12)),
        list(range(8, 16)),
        list(range(12, 20)),
        list(range(16, 21)),
    ]
    assert decode_video(train[0].path).fps == FPS
    assert read_spans(tmp_path / "out" / "val_actions.csv") == {"b": SPANS["b"]}


def test_a_hop_or_window_is_a_frame_at_least(recordings, tmp_path: Path) -> None:
    dataset = read_dataset(cut(recordings, tmp_path / "out", window_seconds=0.01, hop_seconds=0.01))
    assert [len(dataset.splits[split]) for split in ("train", "val")] == [21, 3]
    assert [len(decode_video(clip.path)) for clip in dataset.splits["val"]] == [1, 1, 1]


def test_clips_labeled_with_what_lies_inside(recordings, tmp_path: Path) -> None:
    manifest = cut(recordings, tmp_path / "out", rule="inside", hop_seconds=0.1)
    found = {int(c.clip_id[2:]): c.labels for c in read_dataset(manifest).splits["train"]}
    spans = {1: range(3, 9), 0: range(8, 15)}
    for middle in range(21):
        clip = set(range(max(0, middle - 4), min(21, middle + 4)))
        expected = set()
        for label, span in spans.items():
            inside = len(clip & set(span))
            if inside and (inside / len(clip) >= 0.25 or inside / len(span) >= 0.5):
                expected.add(label)
        assert set(found.get(middle, ())) == expected  # and clips without a label are left out
    assert 0 < len(found) < 21


def test_nothing_is_held_out_of_a_fraction_of_0() -> None:
    assert hold_out(["b", "a"], fraction=0, seed=1) == {"train": ["b", "a"]}


def test_a_folder_that_holds_something_is_left_alone(recordings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    cut(recordings, out)  # an empty one is taken
    with pytest.raises(DataError, match="holds something already; give a new folder"):
        cut(recordings, out)


def test_an_unknown_action(recordings, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknown label 'wave'; nearest is 'wade'"):
        cut(recordings, tmp_path / "out", labels=LabelSet.from_names(["walk", "wade"]))


@pytest.mark.parametrize(
    ("count", "fraction", "held"), [(2, 0.01, 1), (2, 0.99, 1), (10, 0.3, 3), (25, 0.16, 4)]
)
def test_hold_out(count: int, fraction: float, held: int) -> None:
    names = [f"r{n}" for n in range(count)]
    divided = hold_out(names, fraction=fraction, seed=1)
    assert sorted(divided["train"] + divided["val"]) == sorted(names)
    assert len(divided["val"]) == held
    assert divided == hold_out(names, fraction=fraction, seed=1)
    assert set(divided["val"]) == set(hold_out(names[::-1], fraction=fraction, seed=1)["val"])


def test_seeds_differ() -> None:
    names = [f"r{n}" for n in range(20)]
    chosen = {tuple(hold_out(names, fraction=0.2, seed=seed)["val"]) for seed in range(5)}
    assert len(chosen) > 1


def test_one_recording_cannot_be_divided() -> None:
    with pytest.raises(DataError, match=r"^1 recording;"):
        hold_out(["a"], fraction=0.5, seed=1)


def test_training_clips_are_stretched_and_held_out_ones_are_not(recordings, tmp_path: Path) -> None:
    plain = read_dataset(cut(recordings, tmp_path / "plain"))
    stretched = read_dataset(cut(recordings, tmp_path / "stretched", stretch=2.0))

    def lengths(dataset, split: str) -> list[int]:
        return [len(clip.read()) for clip in dataset.split(split)]

    assert lengths(stretched, "val") == lengths(plain, "val")
    inner = slice(2, -2)  # not cut short by the ends of the recording
    whole = lengths(plain, "train")[inner]
    drawn = lengths(stretched, "train")[inner]
    assert len(set(drawn)) > 1
    assert all(
        length / 2 - 1 <= other <= 2 * length + 1
        for length, other in zip(whole, drawn, strict=True)
    )
