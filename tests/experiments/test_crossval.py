"""Cross-validation: nobody judges what it has learned, and an interrupted one goes on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import load_checkpoint
from lilliput.config import Config, parse_config
from lilliput.data import Clip, VideoDataset, read_dataset
from lilliput.errors import ConfigError, DataError, TrainingError
from lilliput.evaluation.evaluate import score_split, tune_thresholds
from lilliput.evaluation.scored import load_scores
from lilliput.experiments import crossval
from lilliput.experiments.crossval import cross_validate
from lilliput.experiments.run import evaluate_checkpoint, run_recipe
from lilliput.scoring import compute_metrics, tune_unknown
from lilliput.training.fit import fit
from lilliput.video.encode import write_video

RECORDINGS = 4


def _changed(config: Config, **sections: dict[str, object]) -> Config:
    settings = config.model_dump(mode="json")
    for name, values in sections.items():
        settings[name].update(values)
    return parse_config(settings, "test")


@pytest.fixture(scope="module")
def config(micro_config: Config) -> Config:
    return _changed(
        micro_config,
        augment={"flip_pairs": [["bright", "dark"]]},  # others than those found by name
        model={"normalisation": "dataset"},
        training={"accelerator": "cpu"},
        evaluation={"flip": False},
    )


@pytest.fixture(scope="module")
def single(config: Config) -> Config:
    """The recipe for one label per clip, or none where it is not sure."""
    settings = config.model_dump(mode="json") | {"task": "auto"}
    settings["evaluation"]["unknown_below"] = "tuned"
    return parse_config(settings, "test")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> VideoDataset:
    """Two clips of each of four recordings of two classes, a quarter of them in val."""
    root = tmp_path_factory.mktemp("data") / "clips"
    seed = 0
    for recording in range(RECORDINGS):
        split = "train" if recording else "val"
        for name, brightest in (("bright", 255), ("dark", 60)):
            (root / split / name).mkdir(parents=True, exist_ok=True)
            for number in range(2):
                seed += 1
                rng = np.random.default_rng(seed)
                frames = rng.integers(0, brightest, (6, 16, 16, 3), dtype=np.uint8)
                path = root / split / name / f"{name}_{recording}x_{number}.mp4"
                write_video(path, frames, fps=10)
    return read_dataset(root)


@pytest.fixture(scope="module")
def several_labels(dataset: VideoDataset) -> VideoDataset:
    """The same clips, some of them with both labels."""

    def label(clip: Clip) -> Clip:
        return replace(clip, labels=(0, 1)) if clip.clip_id.endswith("_0") else clip

    splits = {name: [label(clip) for clip in clips] for name, clips in dataset.splits.items()}
    return replace(dataset, splits=splits)


@pytest.fixture(scope="module")
def run(
    config: Config, several_labels: VideoDataset, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    cross_validate(config, several_labels, folder, num_folds=2)
    return folder


def _fold_of(run: Path) -> dict[str, int]:
    lines = (run / "folds.csv").read_text().splitlines()[1:]
    return {clip: int(fold) for fold, clip, _ in (line.split(",") for line in lines)}


def test_each_clip_is_scored_by_the_model_that_has_not_seen_it(
    run: Path, config: Config, several_labels: VideoDataset, tmp_path: Path
) -> None:
    """Trained again by hand, on the clips that the table puts into the other folds."""
    scored = load_scores(run / "folds" / "scores.npz")
    fold_of = _fold_of(run)
    everything = {
        f"{name}/{clip.clip_id}": replace(clip, clip_id=f"{name}/{clip.clip_id}")
        for name in ("train", "val")
        for clip in several_labels.split(name)
    }
    assert sorted(fold_of) == sorted(everything) == sorted(scored.clip_ids.tolist())
    by_hand = _changed(config, data={"val": ""})
    for fold in (1, 2):
        rest = [clip for name, clip in everything.items() if fold_of[name] != fold]
        held_out = [clip for name, clip in everything.items() if fold_of[name] == fold]
        assert not {clip.recording for clip in rest} & {clip.recording for clip in held_out}
        apart = replace(several_labels, splits={"train": rest, "held": held_out})
        fit(by_hand, apart, tmp_path / str(fold))
        model = load_checkpoint(tmp_path / str(fold) / "last.safetensors")
        expected = score_split(model, apart, "held")
        rows = [scored.clip_ids.tolist().index(clip.clip_id) for clip in held_out]
        np.testing.assert_array_equal(scored.scores[rows], expected.scores)
        np.testing.assert_array_equal(scored.targets[rows], expected.targets)


def test_a_fold_is_judged_with_thresholds_of_the_others(run: Path, config: Config) -> None:
    scored = load_scores(run / "folds" / "scores.npz")
    fold_of = np.array([_fold_of(run)[name] for name in scored.clip_ids.tolist()])
    labels = np.zeros(scored.targets.shape, dtype=bool)
    for fold in (1, 2):
        ours, others = fold_of == fold, fold_of != fold
        parts = {"scores": scored.scores[others], "targets": scored.targets[others]}
        labels[ours] = scored.scores[ours] > tune_thresholds(
            replace(scored, **parts), config.evaluation
        )
    # Labels as scores: any threshold between 0 and 1 gives them back.
    expected = compute_metrics(labels.astype(float), scored.targets, 0.5)
    report = json.loads((run / "folds" / "report.json").read_text())
    model = load_checkpoint(run)
    assert report["metrics"]["macro"]["f1"] == pytest.approx(expected.macro.f1)
    assert model.metrics["folds"]["macro"]["f1"] == pytest.approx(expected.macro.f1)
    assert "micro, cross-validated, 2 folds" in report["title"]
    assert "tuned on the other folds" in report["facts"]["thresholds"]
    pooled = tune_thresholds(scored, config.evaluation)
    assert model.thresholds == pytest.approx(pooled)
    assert [row["threshold"] for row in report["per_class"]] == pytest.approx(pooled)


def test_the_kept_model_learned_from_everything_and_says_so(
    run: Path, several_labels: VideoDataset, tmp_path: Path
) -> None:
    kept, last = load_checkpoint(run), load_checkpoint(run / "all" / "last.safetensors")
    assert all((kept.state[name] == tensor).all() for name, tensor in last.state.items())
    assert kept.config.data.train == "train+val"
    evaluation = evaluate_checkpoint(kept, several_labels, "val", tmp_path, model="kept")
    assert "the model learned from the split of this name" in evaluation.report["facts"]["split"]


def test_a_stopped_run_goes_on_where_it_was(
    run: Path,
    config: Config,
    several_labels: VideoDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = []

    def fit_or_stop(config: Config, dataset: VideoDataset, folder: Path, *, resume: bool) -> Path:
        if folder.name == "fold-2" and not resume:
            raise KeyboardInterrupt
        trained.append(folder.name)
        return fit(config, dataset, folder, resume=resume)

    monkeypatch.setattr(crossval, "fit", fit_or_stop)
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        cross_validate(config, several_labels, folder, num_folds=2)
    with pytest.raises(TrainingError, match="holds a run already; add --resume"):
        cross_validate(config, several_labels, folder, num_folds=2)
    other = _changed(config, training={"learning_rate": 0.5})
    with pytest.raises(TrainingError, match=r"began with training\.learning_rate"):
        cross_validate(other, several_labels, folder, num_folds=2, resume=True)
    with pytest.raises(TrainingError, match="began with other folds or clips"):
        cross_validate(config, several_labels, folder, num_folds=3, resume=True)
    cross_validate(config, several_labels, folder, num_folds=2, resume=True)
    assert trained == ["fold-1", "fold-2", "all"]
    ours, theirs = (load_scores(path / "folds" / "scores.npz").scores for path in (folder, run))
    np.testing.assert_array_equal(ours, theirs)
    # Nothing is left to train; the model that is kept may change.
    cross_validate(config, several_labels, folder, num_folds=2, final="ensemble", resume=True)
    assert trained == ["fold-1", "fold-2", "all"]
    assert load_checkpoint(folder).config.model.members == 2
    cross_validate(config, several_labels, folder, num_folds=2, resume=True)
    assert load_checkpoint(folder).config.model.members == 1


def test_an_ensemble_of_the_folds_of_one_label_per_clip(
    single: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    lines: list[str] = []
    evaluation = cross_validate(
        single, dataset, tmp_path, num_folds=2, final="ensemble", tell=lines.append
    )
    assert lines == ["fold 1 of 2", "fold 2 of 2"]
    assert not (tmp_path / "all").exists()
    assert evaluation.page == tmp_path / "folds" / "report.html"
    ensemble = load_checkpoint(tmp_path)
    assert (ensemble.task, ensemble.config.model.average) == ("single", "softmax")
    assert evaluation.report["task"] == "single"
    assert evaluation.report["unknown_below"] == pytest.approx(max(ensemble.thresholds))
    scored = load_scores(tmp_path / "folds" / "scores.npz")
    assert max(ensemble.thresholds) == pytest.approx(
        tune_unknown(scored.scores, scored.targets, "macro_f1")
    )
    members = [load_checkpoint(tmp_path / f"fold-{fold}" / "last.safetensors") for fold in (1, 2)]
    mean = np.mean([score_split(model, dataset, "val").scores for model in members], axis=0)
    np.testing.assert_allclose(score_split(ensemble, dataset, "val").scores, mean, rtol=1e-4)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"patience": 3}, "training.patience = 3: with --folds there is no split to stop on"),
        ({"devices": 2}, "training.devices = 2: folds are trained on one device"),
    ],
)
def test_a_recipe_that_folds_cannot_follow(
    config: Config,
    dataset: VideoDataset,
    tmp_path: Path,
    section: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        cross_validate(_changed(config, training=section), dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_class_of_one_recording_is_refused_before_anything_is_made(
    single: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    splits = {
        name: [replace(c, recording="one") if c.labels == (1,) else c for c in clips]
        for name, clips in dataset.splits.items()
    }
    with pytest.raises(DataError, match="all clips of class 'dark' are of one recording"):
        cross_validate(single, replace(dataset, splits=splits), tmp_path / "run", num_folds=2)
    assert not (tmp_path / "run").exists()


def test_a_recipe_that_could_not_start_leaves_the_folder_free(
    config: Config, dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Path:
        raise ConfigError("no such device")

    monkeypatch.setattr(crossval, "fit", refuse)
    for num_folds in (2, 3):  # neither is in the way of the other
        with pytest.raises(ConfigError, match="no such device"):
            cross_validate(config, dataset, tmp_path, num_folds=num_folds)
        assert set(_fold_of(tmp_path).values()) == set(range(1, num_folds + 1))


def test_a_teacher_that_may_have_seen_the_clips_is_told(
    config: Config, dataset: VideoDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(crossval, "fit", stop)
    lines: list[str] = []
    taught = _changed(config, training={"teacher": ["synthetic"]})
    with pytest.raises(KeyboardInterrupt):
        cross_validate(taught, dataset, tmp_path, num_folds=2, tell=lines.append)
    assert lines[0].startswith("note: a teacher that has learned from these clips")


def test_a_folder_with_another_run_is_left_alone(
    config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    (tmp_path / "best.safetensors").touch()
    for resume in (False, True):
        with pytest.raises(TrainingError, match="holds a run without folds; choose another --run"):
            cross_validate(config, dataset, tmp_path, num_folds=2, resume=resume)


def test_a_recipe_without_validation_split_is_for_folds_only(
    config: Config, dataset: VideoDataset, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"data\.val is empty: nothing is left to report on"):
        run_recipe(_changed(config, data={"val": ""}), dataset, tmp_path)
