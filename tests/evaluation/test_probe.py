"""A probe learns frozen features of real clips; random weights and chance stand beside it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.preprocessing import StandardScaler

from lilliput.builders import build_model
from lilliput.checkpoint import Checkpoint, save_checkpoint
from lilliput.data import Clip, VideoDataset, read_dataset
from lilliput.errors import DataError
from lilliput.evaluation.probe import ProbeReport, ProbeRow, probe
from lilliput.models.pooled import forward_pooled
from lilliput.scoring import Interval, PairedComparison
from lilliput.video.encode import write_video
from lilliput.video.sampling import sample_evaluation
from lilliput.video.transforms import EvaluationTransform

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> VideoDataset:
    """Noise of three kinds of brightness that overlap: 24 training and 18 validation clips."""
    root = tmp_path_factory.mktemp("data") / "clips"
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 6)):
        for name, brightness in (("bright", 150), ("dark", 70), ("mid", 110)):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                top = brightness + rng.normal(0, 30)
                frames = rng.integers(0, max(int(top), 2), (6, 16, 16, 3), dtype=np.uint8)
                write_video(root / split / name / f"{split}{name}-{number}x.mp4", frames, fps=10)
    return read_dataset(root)


@pytest.fixture(scope="module")
def micro_checkpoint(micro_checkpoint: Checkpoint) -> Checkpoint:
    """The one of all tests with weights of another seed than the probe's random ones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return replace(
            micro_checkpoint, state=build_model(micro_checkpoint.config.model, 3).state_dict()
        )


@pytest.fixture(scope="module")
def report(micro_checkpoint: Checkpoint, dataset: VideoDataset) -> ProbeReport:
    return probe(micro_checkpoint, dataset)


def _features(model: Checkpoint, clips: list[Clip]) -> np.ndarray:
    """Clip by clip, without the loaders."""
    network, transform = model.build_model(), EvaluationTransform(14, model.normalisation)
    rows = []
    for clip in clips:
        frames = clip.read()
        (picks,) = sample_evaluation("segment", len(frames), num_frames=4, num_clips=1, seed=1)
        with torch.no_grad():
            rows.append(forward_pooled(network, transform(frames[picks])[None])[1][0].numpy())
    return np.stack(rows).astype(np.float64)


def test_scores_are_those_of_scikit_learn(
    report: ProbeReport, micro_checkpoint: Checkpoint, dataset: VideoDataset
) -> None:
    train, val = (list(dataset.split(name)) for name in ("train", "val"))
    truth = np.array([clip.labels[0] for clip in val])  # type: ignore[index]
    scaler = StandardScaler()
    row = report.rows[0]
    model = LogisticRegression(C=row.strength, tol=1e-9, max_iter=5000)
    model.fit(
        scaler.fit_transform(_features(micro_checkpoint, train)),
        [clip.labels[0] for clip in train],  # type: ignore[index]
    )
    found = model.predict(scaler.transform(_features(micro_checkpoint, val)))
    assert row.scores["top1"] == pytest.approx((found == truth).mean())
    assert row.scores["mean_class_accuracy"] == pytest.approx(balanced_accuracy_score(truth, found))
    assert row.scores["macro_f1"] == pytest.approx(f1_score(truth, found, average="macro"))
    assert 0.4 < row.scores["top1"] < 1
    assert report.num_features == 32
    assert report.num_clips == {"train": 24, "val": 18}


def test_chance_knows_the_most_frequent_class_only(report: ProbeReport) -> None:
    assert [row.name for row in report.rows] == ["model", "random", "chance"]
    chance = report.rows[2].scores
    assert chance["top1"] == chance["mean_class_accuracy"] == pytest.approx(1 / 3)
    assert chance["macro_f1"] == pytest.approx(0.5 / 3)
    for row in report.rows:
        interval = row.intervals["macro_f1"]
        assert interval.estimate == pytest.approx(row.scores["macro_f1"])
        assert interval.low <= interval.estimate <= interval.high
    gain = report.rows[0].scores["macro_f1"] - report.rows[1].scores["macro_f1"]
    assert report.gain.difference.estimate == pytest.approx(gain)


def test_random_weights_are_the_same_each_time(
    report: ProbeReport, micro_checkpoint: Checkpoint, dataset: VideoDataset
) -> None:
    torch.manual_seed(99)
    again = probe(micro_checkpoint, dataset)
    assert again.rows[1].scores == report.rows[1].scores


def test_a_network_that_sees_nothing_is_as_good_as_chance(
    micro_checkpoint: Checkpoint, dataset: VideoDataset
) -> None:
    state = {
        name: torch.zeros_like(tensor) if "conv" in name or "bn" in name else tensor
        for name, tensor in micro_checkpoint.state.items()
    }
    found = probe(replace(micro_checkpoint, state=state), dataset)
    assert found.rows[0].scores == pytest.approx(found.rows[2].scores)
    assert "random weights do better" in found.advice.lower() or "chance" in found.advice


def test_several_labels_are_judged_by_map(
    micro_checkpoint: Checkpoint, dataset: VideoDataset
) -> None:
    """The brighter half of the clips has the label of brightness, too."""
    splits = {
        name: [replace(c, labels=(0, 2)) if c.labels == (2,) else c for c in clips]
        for name, clips in dataset.splits.items()
    }
    found = probe(micro_checkpoint, replace(dataset, splits=splits))
    assert found.task == "multi"
    chance, model = found.rows[2].scores, found.rows[0].scores
    priors = [12 / 18, 6 / 18, 6 / 18]
    assert chance["map"] == pytest.approx(np.mean(priors))
    assert chance["macro_f1"] == pytest.approx(np.mean([2 * p / (1 + p) for p in priors]))
    assert model["map"] > chance["map"]
    assert "top1" not in model


def test_clips_that_cannot_be_read_are_left_out(
    micro_checkpoint: Checkpoint, dataset: VideoDataset, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    train = list(dataset.split("train"))
    train[3] = replace(train[3], path=tmp_path / "broken.mp4")
    done: list[int] = []
    found = probe(
        micro_checkpoint,
        replace(dataset, splits={**dataset.splits, "train": train}),
        advance=done.append,
    )
    assert found.num_clips == {"train": 23, "val": 18}
    assert len(found.unreadable) == 1
    assert "broken.mp4" in found.unreadable[0]
    assert sum(done) == 24 + 18


def test_clips_of_one_recording_tell_nothing(
    micro_checkpoint: Checkpoint, dataset: VideoDataset
) -> None:
    val = [replace(clip, recording="one") for clip in dataset.split("val")]
    with pytest.raises(DataError, match="'val' come from fewer than two recordings"):
        probe(micro_checkpoint, replace(dataset, splits={**dataset.splits, "val": val}))


@pytest.mark.parametrize(
    ("scores", "low", "high", "word"),
    [
        ((0.8, 0.5, 0.2), 0.1, 0.5, "helps"),
        ((0.6, 0.5, 0.2), -0.1, 0.3, "cannot tell it from random"),
        ((0.2, 0.5, 0.1), -0.5, -0.1, "Random weights do better"),
        ((0.2, 0.1, 0.2), -0.1, 0.2, "no more of these clips than chance"),
        ((0.2, 0.1, 0.3), 0.05, 0.2, "no more of these clips than chance"),
    ],
)
def test_the_advice(scores: tuple[float, ...], low: float, high: float, word: str) -> None:
    rows = tuple(
        ProbeRow(name, 1.0, {"macro_f1": score}, {})
        for name, score in zip(("model", "random", "chance"), scores, strict=True)
    )
    difference = Interval(scores[0] - scores[1], low, high)
    gain = PairedComparison(difference, 0.1, distinguishable=low > 0 or high < 0)
    assert word in ProbeReport("single", 8, {"train": 9, "val": 9}, (), rows, gain).advice


def test_the_command(
    micro_checkpoint: Checkpoint, dataset: VideoDataset, run_cli: RunCli, tmp_path: Path
) -> None:
    save_checkpoint(micro_checkpoint, tmp_path / "best.safetensors")
    code, out, err = run_cli("probe", tmp_path, "--data", dataset.root)
    assert code == 0, err
    for words in ("this model", "random weights", "chance", "top-1", "24 of train and 18 of val"):
        assert words in " ".join(out.split()), out
    assert "macro F1 over random weights: " in out
    code, _, err = run_cli("probe", tmp_path, "--data", dataset.root, "--split", "none")
    assert code == 2
    assert "has no split 'none'; it has: train, val" in err
