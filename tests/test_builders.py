import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch

from lilliput.builders import (
    build_evaluation_sampler,
    build_evaluation_transform,
    build_labels,
    build_loss,
    build_mixing,
    build_model,
    build_normalisation,
    build_training_sampler,
    build_training_transform,
    build_validation_sampler,
)
from lilliput.config import Config, LossConfig, load_config, parse_config, recipe_names
from lilliput.data import LabelSet
from lilliput.data.loading import FrameSource
from lilliput.errors import ConfigError, DataError
from lilliput.losses import (
    AsymmetricLoss,
    BinaryCrossEntropy,
    CrossEntropy,
    FocalLoss,
    class_balanced_weights,
    log_priors,
)
from lilliput.models.resnet3d import ResNet3d
from lilliput.video.normalisation import IMAGENET, KINETICS, MOTION, OWN_CONTRAST, SYMMETRIC
from lilliput.video.transforms import EvaluationTransform, TrainingTransform

PLAIN = LabelSet.from_names(["run", "walk"])
TURNS = LabelSet.from_names(["turn_left", "turn_right"])


def _config(settings: dict[str, dict[str, object]]) -> Config:
    return Config.model_validate(settings)


@pytest.mark.parametrize("recipe", recipe_names())
def test_every_recipe_makes_clips_of_its_size(
    recipe: str, noise: Callable[..., np.ndarray]
) -> None:
    config = load_config(recipe)
    size, num_frames = config.model.input_size, config.sampling.num_frames
    frames = torch.from_numpy(noise(20, 24, 30, 0)).permute(0, 3, 1, 2)
    picked = frames[build_training_sampler(config)(20, np.random.default_rng(0))]
    transform = build_training_transform(config, KINETICS, PLAIN)
    clip, targets = transform(picked, torch.tensor([1.0, 0.0]))
    assert clip.shape == (3, num_frames, size, size)
    assert targets.tolist() == [1.0, 0.0]
    picks = build_evaluation_sampler(config, num_clips=3)(20)
    assert len(picks) == 3
    clip = build_evaluation_transform(config, KINETICS)(frames[picks[0]])
    assert clip.shape == (3, num_frames, size, size)


def test_without_augmentation_training_sees_what_evaluation_sees(
    noise: Callable[..., np.ndarray],
) -> None:
    config = load_config("thesis/table_4_03/resnet18")
    assert not config.augment.enabled
    frames = torch.from_numpy(noise(16, 20, 30, 0)).permute(0, 3, 1, 2)
    targets = torch.tensor([0.0, 1.0])
    clip, kept = build_training_transform(config, KINETICS, TURNS)(frames, targets)
    assert torch.equal(clip, EvaluationTransform(112, KINETICS, square=True)(frames))
    assert torch.equal(kept, targets)


def test_the_recipe_reaches_the_augmentation() -> None:
    settings = {"augment": {"short_side": [1.0, 1.5], "horizontal_flip": 0.25}}
    transform = build_training_transform(_config(settings), KINETICS, TURNS)
    assert isinstance(transform, TrainingTransform)
    assert transform.short_side == (1.0, 1.5)
    assert transform.flips.horizontal == 0.25
    assert tuple(transform.flips.pairs) == ((0, 1),)
    assert transform.rand_augment == (2, 9, 1.0)
    assert transform.rand_augment_size == "input"
    settings = {"augment": {"rand_augment_operations": 0, "flip_labels": "keep"}}
    transform = build_training_transform(_config(settings), KINETICS, TURNS)
    assert isinstance(transform, TrainingTransform)
    assert transform.rand_augment == (0, 0, 1.0)
    assert tuple(transform.flips.pairs) == ()


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("augment", "vertical_flip", 0.5),
        ("augment", "quarter_turn", 0.5),
        ("evaluation", "vertical_flip", True),
        ("evaluation", "quarter_turn", True),
    ],
)
def test_classes_with_a_direction_are_not_turned(section: str, key: str, value: object) -> None:
    config = _config({section: {key: value}})
    with pytest.raises(ConfigError, match=rf"{section}\.{key} must be .*turn_left and turn_right"):
        build_training_transform(config, KINETICS, TURNS)
    build_training_transform(config, KINETICS, PLAIN)  # nothing has a direction
    keep = config.augment.model_copy(update={"flip_labels": "keep"})
    config = config.model_copy(update={"augment": keep})
    build_training_transform(config, KINETICS, TURNS)  # asked for, as the thesis ran


def test_turns_that_are_not_used_are_not_refused() -> None:
    config = _config({"augment": {"enabled": False, "vertical_flip": 0.5}})
    build_training_transform(config, KINETICS, TURNS)


@pytest.mark.parametrize("augmented", [True, False])
def test_what_is_built_can_be_sent_to_other_processes(augmented: bool) -> None:
    # Where processes are not forked, loaders pickle all that they work with.
    config = _config({"augment": {"enabled": augmented}})
    for built in (
        build_training_sampler(config),
        build_evaluation_sampler(config, 2),
        build_training_transform(config, KINETICS, PLAIN),
        build_evaluation_transform(config, KINETICS),
    ):
        assert callable(pickle.loads(pickle.dumps(built)))


@pytest.mark.parametrize("input_size", [14, 28, 56])
def test_an_adapted_net_ends_on_a_map_of_seven(input_size: int) -> None:
    # Section 3.2: stride 2 is taken out until the last map is 7 x 7, as of 224 px unadapted.
    settings = {"width": 4, "input_size": input_size, "adapted": True}
    model = build_model(_config({"model": settings}).model, 5).eval()
    seen: list[torch.Size] = []
    hook = lambda module, inputs, output: seen.append(output.shape)  # noqa: E731
    model.backbone.layer4.register_forward_hook(hook)
    with torch.inference_mode():
        logits = model(torch.zeros(1, 3, 4, input_size, input_size))
    assert logits.shape == (1, 5)
    assert seen[0][-2:] == (7, 7)


def test_an_unadapted_net_keeps_its_strides() -> None:
    model = build_model(_config({"model": {"width": 4, "input_size": 56}}).model, 5).eval()
    seen: list[torch.Size] = []
    hook = lambda module, inputs, output: seen.append(output.shape)  # noqa: E731
    model.backbone.layer4.register_forward_hook(hook)
    with torch.inference_mode():
        model(torch.zeros(1, 3, 4, 56, 56))
    assert seen[0][-2:] == (2, 2)


def test_published_normalisations_read_no_clip() -> None:
    nothing = FrameSource([])
    for name, expected in (
        ("kinetics", KINETICS),
        ("imagenet", IMAGENET),
        ("symmetric", SYMMETRIC),
        ("clip_contrast", OWN_CONTRAST),
        ("motion", MOTION),
    ):
        model = _config({"model": {"normalisation": name}}).model
        assert build_normalisation(model, nothing) == expected


def test_positive_weights_are_negatives_over_positives() -> None:
    targets = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    logits = torch.tensor([[0.3, -0.7]])
    for weighted, weights in ((True, [1.0, 3.0]), (False, [1.0, 1.0])):
        loss = build_loss(LossConfig(name="bce", positive_weights=weighted), "multi", targets)
        positive = -torch.tensor(weights) * torch.log(torch.sigmoid(logits))
        torch.testing.assert_close(loss(logits, torch.ones(1, 2)), positive.mean())


@pytest.mark.parametrize(
    ("name", "task", "kind"),
    [
        ("auto", "single", CrossEntropy),
        ("auto", "multi", BinaryCrossEntropy),
        ("focal", "single", FocalLoss),
        ("focal", "multi", FocalLoss),
        ("asymmetric", "multi", AsymmetricLoss),
    ],
)
def test_the_loss_follows_the_task(name: str, task: str, kind: type) -> None:
    loss = build_loss(LossConfig(name=name), task, torch.eye(3))
    assert type(loss) is kind
    assert getattr(loss, "task", task) == task


@pytest.mark.parametrize(
    ("name", "task", "remedy"),
    [
        ("bce", "single", r"'bce' is no loss for clips of one label.*'auto', or task = 'multi'"),
        ("asymmetric", "single", "'asymmetric' is no loss for clips of one label"),
        ("cross_entropy", "multi", "of several labels; set loss.name = 'auto', or task = 'single'"),
    ],
)
def test_a_loss_of_another_task_is_refused(name: str, task: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        build_loss(LossConfig(name=name), task, torch.eye(3))


def test_the_recipe_reaches_the_loss() -> None:
    targets = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    weights = class_balanced_weights(targets, 0.5)
    for task in ("single", "multi"):
        loss = build_loss(LossConfig(class_balance=0.5, label_smoothing=0.1), task, targets)
        assert loss.label_smoothing == 0.1
        torch.testing.assert_close(loss.class_weights, weights)
        loss = build_loss(LossConfig(name="focal", class_balance=0.5, gamma=3), task, targets)
        assert loss.gamma == 3
        torch.testing.assert_close(loss.class_weights, weights)
        loss = build_loss(LossConfig(logit_adjustment=0.5), task, targets)
        torch.testing.assert_close(loss.offsets, 0.5 * log_priors(targets, task))


def test_declared_flip_pairs_replace_those_found_by_name() -> None:
    labels = LabelSet.from_names(["clockwise", "turn_left", "turn_right", "withershins"])
    assert labels.flip_pairs == ((1, 2),)
    assert build_labels(Config(), labels) == labels
    settings = {"augment": {"flip_pairs": [["clockwise", "withershins"]]}}
    assert build_labels(parse_config(settings, "test"), labels).flip_pairs == ((0, 3),)
    none = parse_config({"augment": {"flip_pairs": []}}, "test")
    assert build_labels(none, labels).flip_pairs == ()
    unknown = parse_config({"augment": {"flip_pairs": [["clockwise", "anticlockwise"]]}}, "test")
    with pytest.raises(DataError, match="unknown label 'anticlockwise'"):
        build_labels(unknown, labels)


def test_clips_are_mixed_where_the_recipe_augments_and_asks_for_it() -> None:
    clips, targets = torch.zeros(2, 3, 2, 4, 4), torch.eye(2)
    for settings in ({}, {"enabled": False, "mixup": 0.5}):
        assert build_mixing(_config({"augment": settings}).augment) is None
    for settings in ({"mixup": 0.5}, {"cutmix": 1.0}, {"mixup": 0.2, "cutmix": 1.0}):
        mixing = build_mixing(_config({"augment": settings}).augment)
        assert mixing is not None
        torch.manual_seed(3)
        assert mixing(clips, targets)[1].sum(dim=1).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "resnet3d"},
        {"name": "multiscale", "input_size": 28, "input_sizes": [14, 28]},
        {"name": "fpn"},
        {"name": "multiscale_fpn", "input_size": 28, "input_sizes": [14, 28]},
    ],
)
def test_stochastic_depth_reaches_every_resnet(settings: dict[str, object]) -> None:
    config = _config({"model": {"width": 4, "stochastic_depth": 0.5, **settings}}).model
    streams = [m for m in build_model(config, 2).modules() if isinstance(m, ResNet3d)]
    assert len(streams) == len(settings.get("input_sizes", [112]))
    assert all(stream.layer4[-1].stochastic_depth.p == 0.5 for stream in streams)


def test_all_clips_are_evaluated_only_where_the_recipe_says_so() -> None:
    baseline, segments = (
        load_config(f"thesis/{name}")
        for name in ("table_4_03/resnet18", "table_4_05/fpn_ad_resnet18_five_clips_tuned")
    )
    for build in (build_evaluation_sampler, build_validation_sampler):
        assert len(build(baseline)(70, "00001")) == 4
        assert len(pickle.loads(pickle.dumps(build(baseline)))(10, "00001")) == 1
    (centre,) = build_evaluation_sampler(baseline, 1)(70, "00001")  # calibration, teachers
    assert centre.tolist() == list(range(27, 43))
    assert len(build_evaluation_sampler(segments)(70, "00001")) == 5
    assert len(build_validation_sampler(segments)(70, "00001")) == 1


def test_the_square_resize_and_the_probability_reach_the_transforms() -> None:
    config = load_config("thesis/table_4_05/fpn_ad_resnet18_augmented", ["model.resize=square"])
    transform = build_training_transform(config, KINETICS, TURNS)
    assert transform.square
    assert transform.rand_augment == (2, 9, 0.5)
    assert build_evaluation_transform(config, KINETICS).square
    assert not build_evaluation_transform(Config(), KINETICS).square
