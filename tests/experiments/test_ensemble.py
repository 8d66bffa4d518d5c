"""Several checkpoints as one: the same scores as their average, wherever a checkpoint goes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.builders import build_model
from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import Config, parse_config
from lilliput.data import LabelSet, read_dataset
from lilliput.errors import CheckpointError, ConfigError
from lilliput.evaluation.evaluate import score_split
from lilliput.evaluation.scored import average_scores
from lilliput.experiments.ensemble import make_ensemble
from lilliput.inference.export import MAX_DIFFERENCE, export_model
from lilliput.models.facts import measure_facts
from lilliput.task import Task
from lilliput.video.normalisation import KINETICS, Normalisation

OTHERS = (
    KINETICS,
    Normalisation((0.3, 0.5, 0.4), (0.1, 0.2, 0.3)),
    Normalisation((0.6, 0.5, 0.55), (0.25, 0.2, 0.22)),
)


def _members(config: Config, task: Task, per_clip: bool = False) -> list[Checkpoint]:
    settings = config.model_dump(mode="json") | {"task": task}
    labels = LabelSet.from_names(["[Sit]", "turn_left", "turn_right"])
    members = []
    for seed, normalisation in enumerate(OTHERS):
        torch.manual_seed(seed)
        state = build_model(config.model, len(labels)).state_dict()
        state["head.fc.weight"] = state["head.fc.weight"] * 20
        members.append(
            Checkpoint(
                state=state,
                config=parse_config(settings, "test"),
                labels=labels,
                normalisation=replace(normalisation, per_clip=per_clip),
                clip_seconds=1.0 + seed,
                thresholds=(0.5, 0.5, 0.5),
                note="for tests",
            )
        )
    return members


@pytest.mark.parametrize("task", ["single", "multi"])
@pytest.mark.parametrize("per_clip", [False, True])
def test_an_ensemble_scores_like_the_average_of_its_members(
    micro_config: Config, tiny_folder: Path, tmp_path: Path, task: Task, per_clip: bool
) -> None:
    """Each member has a normalisation of its own; the ensemble is given clips of the first's."""
    plain = micro_config.model_dump(mode="json") | {"evaluation": {"flip": False}}
    members = _members(parse_config(plain, "test"), task, per_clip)
    save_checkpoint(make_ensemble(members), tmp_path / "ensemble.safetensors")
    ensemble = load_checkpoint(tmp_path / "ensemble.safetensors")
    assert ensemble.config.model.members == 3
    assert ensemble.clip_seconds == 2.0
    assert ensemble.note == "for tests"
    dataset = read_dataset(tiny_folder)
    expected = average_scores([score_split(member, dataset, "val") for member in members])
    found = score_split(ensemble, dataset, "val")
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-4, atol=1e-6)
    assert not np.allclose(found.scores, score_split(members[0], dataset, "val").scores, atol=0.01)


@pytest.mark.parametrize(("task", "suffix"), [("single", ".onnx"), ("multi", ".xml")])
def test_an_ensemble_exports_within_the_bound(
    micro_config: Config, tmp_path: Path, task: Task, suffix: str
) -> None:
    pytest.importorskip("openvino" if suffix == ".xml" else "onnxruntime")
    members = _members(micro_config, task)[1:]
    save_checkpoint(make_ensemble(members), tmp_path / "best.safetensors")
    report = export_model(tmp_path, tmp_path / f"model{suffix}")
    assert report.difference < MAX_DIFFERENCE["fp32"]


def test_models_that_differ_make_no_ensemble(micro_config: Config) -> None:
    first, second, _ = _members(micro_config, "multi")
    other = _members(micro_config, "single")[1]
    with pytest.raises(CheckpointError, match="differ in task"):
        make_ensemble([first, other])
    renamed = replace(second, labels=LabelSet.from_names(["a", "b", "c"]))
    with pytest.raises(CheckpointError, match="differ in labels"):
        make_ensemble([first, renamed])
    per_clip = replace(second, normalisation=replace(KINETICS, per_clip=True))
    with pytest.raises(CheckpointError, match=r"differ in normalisation\.per_clip"):
        make_ensemble([first, per_clip])
    ensemble = make_ensemble([first, second])
    for models in ([first], [ensemble, ensemble]):
        with pytest.raises(CheckpointError, match="two or more models that are none themselves"):
            make_ensemble(models)


def test_maps_of_members_are_told_once(micro_config: Config) -> None:
    members = _members(micro_config, "multi")
    alone, together = (
        measure_facts(model.build_model(), (3, 4, 14, 14))
        for model in (members[0], make_ensemble(members))
    )
    assert together.maps == alone.maps
    assert together.parameters == 3 * alone.parameters


def test_an_ensemble_averages_scores_of_its_task(micro_config: Config) -> None:
    settings = micro_config.model_dump(mode="json")
    settings["task"] = "single"
    settings["model"]["members"] = 2
    with pytest.raises(ConfigError, match=r"model\.average = 'sigmoid' is not what scores of task"):
        parse_config(settings, "test")
    settings["model"] |= {"members": 1, "average": "softmax"}
    with pytest.raises(ConfigError, match=r"model\.average = softmax has no effect"):
        parse_config(settings, "test")
