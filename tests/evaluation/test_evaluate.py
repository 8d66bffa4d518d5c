import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.builders import build_evaluation_transform
from lilliput.checkpoint import Checkpoint
from lilliput.config import EvaluationConfig, SamplingConfig
from lilliput.data import LabelSet, read_dataset
from lilliput.errors import DataError
from lilliput.evaluation.evaluate import score_split, tune_thresholds, with_thresholds
from lilliput.evaluation.scored import ScoredClips
from lilliput.scoring import compute_metrics
from lilliput.scoring.logits import score_logits
from lilliput.video.normalisation import KINETICS


def test_every_clip_is_scored(micro_checkpoint: Checkpoint, tiny_folder: Path) -> None:
    done: list[int] = []
    scored = score_split(micro_checkpoint, read_dataset(tiny_folder), "val", advance=done.append)
    assert sum(done) == 6
    assert scored.clip_ids[0] == "[Sit]/[Sit]_val1_1"
    assert scored.recordings.tolist() == ["val1", "val2"] * 3
    assert scored.sides.tolist() == [16] * 6  # of 20 x 16 px
    np.testing.assert_array_equal(scored.targets, np.repeat(np.eye(3, dtype=bool), 2, axis=0))
    assert scored.labelled
    assert len(scored.unreadable) == 0
    assert len(np.unique(scored.scores)) == 18
    assert ((scored.scores > 0) & (scored.scores < 1)).all()


def test_the_batch_size_changes_no_score(micro_checkpoint: Checkpoint, tiny_folder: Path) -> None:
    dataset = read_dataset(tiny_folder)
    evaluation = micro_checkpoint.config.evaluation.model_copy(update={"batch_size": 1})
    config = micro_checkpoint.config.model_copy(update={"evaluation": evaluation})
    together = score_split(micro_checkpoint, dataset, "val")
    alone = score_split(replace(micro_checkpoint, config=config), dataset, "val")
    np.testing.assert_allclose(alone.scores, together.scores, atol=1e-6)


def test_an_unreadable_clip_is_listed_and_the_others_are_scored(
    micro_checkpoint: Checkpoint, tiny_folder: Path, tmp_path: Path
) -> None:
    root = tmp_path / "set"
    shutil.copytree(tiny_folder, root)
    bad = root / "val" / "turn_left" / "turn_left_val1_1.mp4"
    bad.write_bytes(b"no video")
    done: list[int] = []
    scored = score_split(micro_checkpoint, read_dataset(root), "val", advance=done.append)
    assert sum(done) == 6
    assert len(scored.unreadable) == 1
    assert scored.unreadable[0].startswith(f"{bad}: not a readable video")
    whole = score_split(micro_checkpoint, read_dataset(tiny_folder), "val")
    expected = whole.scores.copy()
    expected[2] = 0
    np.testing.assert_allclose(scored.scores, expected, atol=1e-6)
    assert scored.sides.tolist() == [16, 16, 0, 16, 16, 16]
    assert scored.targets[2].tolist() == [False, True, False]  # it still counts as missed


def test_a_split_without_one_readable_clip(
    micro_checkpoint: Checkpoint, tiny_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_folder, tmp_path / "set")
    for path in (tmp_path / "set" / "val").rglob("*.mp4"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="not one clip of split 'val' can be read"):
        score_split(micro_checkpoint, read_dataset(tmp_path / "set"), "val")


def test_a_split_without_labels(micro_checkpoint: Checkpoint, tiny_folder: Path) -> None:
    scored = score_split(micro_checkpoint, read_dataset(tiny_folder), "test")
    assert scored.clip_ids.tolist() == ["00000", "00001"]
    assert scored.scores.shape == (2, 3)
    assert scored.targets.shape == (0, 3)
    assert not scored.labelled


@pytest.mark.parametrize("names", [("[Sit]", "turn_left"), ("[Sit]", "turn_right", "turn_left")])
def test_other_classes_are_refused(
    micro_checkpoint: Checkpoint, tiny_folder: Path, names: tuple[str, ...]
) -> None:
    dataset = replace(read_dataset(tiny_folder), labels=LabelSet.from_names(names))
    with pytest.raises(DataError, match=rf"its {len(names)} classes are not the model's 3"):
        score_split(micro_checkpoint, dataset, "val")


def test_an_unknown_split_names_those_there_are(
    micro_checkpoint: Checkpoint, tiny_folder: Path
) -> None:
    with pytest.raises(DataError, match="no split 'dev'; it has: test, train, val"):
        score_split(micro_checkpoint, read_dataset(tiny_folder), "dev")


@pytest.fixture
def scored(noise: Callable[..., np.ndarray]) -> ScoredClips:
    rng = np.random.default_rng(0)
    targets = rng.random((40, 3)) < 0.4
    scores = np.clip(0.3 * targets + 0.6 * rng.random((40, 3)), 0, 1).astype(np.float32)
    ids = np.arange(40).astype(str)
    names = np.array(["[Sit]", "turn_left", "turn_right"])
    nothing = np.array([], dtype=str)
    return ScoredClips(ids, ids, np.zeros(40, int), scores, targets, names, nothing)


def _macro_f1(scored: ScoredClips, thresholds: np.ndarray) -> float:
    return compute_metrics(scored.scores, scored.targets, thresholds).macro.f1


def test_thresholds_as_the_recipe_asks(scored: ScoredClips) -> None:
    fixed = tune_thresholds(scored, EvaluationConfig(fixed_threshold=0.125))
    assert fixed.tolist() == [0.125] * 3
    common = tune_thresholds(scored, EvaluationConfig(threshold="global"))
    assert len(set(common)) == 1
    grid = [_macro_f1(scored, np.full(3, t)) for t in np.linspace(0, 1, 501)]
    assert _macro_f1(scored, common) >= max(grid) - 1e-9
    own = tune_thresholds(scored, EvaluationConfig(threshold="per_class", min_support=1))
    assert _macro_f1(scored, own) >= _macro_f1(scored, common)
    rare = tune_thresholds(scored, EvaluationConfig(threshold="per_class", min_support=41))
    np.testing.assert_array_equal(rare, common)


def test_tuned_thresholds_and_their_scores_go_into_the_checkpoint(
    micro_checkpoint: Checkpoint, scored: ScoredClips
) -> None:
    tuned = with_thresholds(micro_checkpoint, scored, "dev")
    expected = tune_thresholds(scored, micro_checkpoint.config.evaluation)
    np.testing.assert_array_equal(tuned.thresholds, expected)
    assert tuned.metrics["dev"]["macro"]["f1"] == pytest.approx(_macro_f1(scored, expected))
    assert tuned.metrics["val"] == micro_checkpoint.metrics["val"]
    assert tuned.config == micro_checkpoint.config


def test_all_clips_are_those_of_a_loop_over_the_frames(
    micro_checkpoint: Checkpoint, tiny_folder: Path
) -> None:
    sampling = SamplingConfig(method="random", num_frames=2, evaluation="all")
    evaluation = EvaluationConfig(batch_size=4)  # less than two videos of three clips
    config = micro_checkpoint.config.model_copy(
        update={"sampling": sampling, "evaluation": evaluation}
    )
    model = replace(micro_checkpoint, config=config)
    dataset = read_dataset(tiny_folder)
    scored = score_split(model, dataset, "val")
    network, transform = model.build_model(), build_evaluation_transform(config, KINETICS)
    for clip, scores in zip(dataset.split("val"), scored.scores, strict=True):
        frames = clip.read()[:]
        assert len(frames) == 6
        with torch.inference_mode():
            logits = [network(transform(part)[None]) for part in frames.split(2)]
        expected = score_logits(torch.cat(logits), "multi").amax(dim=0)
        np.testing.assert_allclose(scores, expected, atol=1e-6)
