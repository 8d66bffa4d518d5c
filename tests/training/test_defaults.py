from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lilliput.checkpoint import load_checkpoint
from lilliput.config import Config
from lilliput.data import Clip, LabelSet, VideoDataset, read_dataset
from lilliput.errors import ConfigError, DataError
from lilliput.training import defaults
from lilliput.training.defaults import choose_defaults


def _by_setting(dataset: VideoDataset, *given: str) -> tuple[Config, dict[str, str]]:
    config, choices = choose_defaults(dataset, given)
    return config, {choice.setting: choice.reason for choice in choices}


def _dotted(config: Config, setting: str) -> object:
    value: object = config
    for part in setting.split("."):
        value = getattr(value, part)
    return value


def test_every_choice_is_in_the_recipe_and_has_a_reason(tiny_folder: Path) -> None:
    config, choices = choose_defaults(read_dataset(tiny_folder))
    assert len({choice.setting for choice in choices}) == len(choices)
    for choice in choices:
        value = _dotted(config, choice.setting)
        assert (list(value) if isinstance(value, tuple) else value) == choice.value
        assert choice.reason
        assert str(choice) == f"{choice.setting} = {choice.value}: {choice.reason}"


def test_a_given_setting_is_not_chosen_and_others_follow_it(tiny_folder: Path) -> None:
    dataset = read_dataset(tiny_folder)
    config, chosen = _by_setting(dataset)
    changed, left = _by_setting(dataset, f"training.batch_size={config.training.batch_size * 2}")
    assert set(chosen) - set(left) == {"training.batch_size"}
    steps = [
        made.training.epochs * -(-6 * made.training.passes // made.training.batch_size)
        for made in (config, changed)
    ]
    assert steps == pytest.approx([1000, 1000], rel=0.03)


def test_a_misspelt_setting_is_refused_before_the_data_is_looked_at() -> None:
    nowhere = VideoDataset(Path("nowhere"), "test", LabelSet.from_names(["a", "b"]), {})
    with pytest.raises(ConfigError, match=r"nearest is 'training\.epochs'"):
        choose_defaults(nowhere, ["training.epoch=3"])


def test_mirrored_classes_are_flipped_and_one_sided_ones_are_not(tiny_folder: Path) -> None:
    dataset = read_dataset(tiny_folder)
    config, reasons = _by_setting(dataset)
    assert config.augment.horizontal_flip == 0.5 and config.evaluation.flip
    assert "turn_left and turn_right" in reasons["augment.horizontal_flip"]
    train = [
        Clip(clip.clip_id, clip.path, (min(clip.labels[0], 1),), clip.recording)
        for clip in dataset.split("train")
        if clip.labels
    ]
    one_sided = VideoDataset(
        dataset.root,
        "test",
        LabelSet.from_names(["sit", "turn_left"]),
        {"train": train, "val": train},
    )
    config, reasons = _by_setting(one_sided)
    assert config.augment.horizontal_flip == 0 and not config.evaluation.flip
    assert "'turn_left' has no mirror image" in reasons["augment.horizontal_flip"]


def test_a_missing_split_is_named(tiny_folder: Path) -> None:
    with pytest.raises(DataError, match="has no split 'dev'"):
        choose_defaults(read_dataset(tiny_folder), ["data.val=dev"])


@pytest.mark.parametrize(
    "given",
    [
        ["model.name=mvit"],
        ["model.name=fpn", "model.backbone=r2plus1d"],
        ["training.optimizer=sgd"],
    ],
)
def test_what_the_given_network_or_optimizer_does_not_take_is_not_chosen(
    given: list[str], tiny_folder: Path
) -> None:
    config, chosen = _by_setting(read_dataset(tiny_folder), *given)
    sgd = config.training.optimizer == "sgd"
    assert ("model.width" in chosen) == sgd
    assert ("training.weight_decay" in chosen) != sgd
    assert config.training.weight_decay == (0 if sgd else 0.05)


def test_a_chosen_batch_holds_all_views_of_a_clip(tiny_folder: Path) -> None:
    config, chosen = _by_setting(read_dataset(tiny_folder), "augment.crops_per_clip=3")
    assert "training.batch_size" in chosen
    assert config.training.batch_size == 9


def test_a_setting_below_one_that_is_no_section_is_refused(tiny_folder: Path) -> None:
    with pytest.raises(ConfigError, match="'model' is no section"):
        choose_defaults(read_dataset(tiny_folder), ["model=x", "model.depth=18"])


def test_declared_flip_pairs_count(tiny_folder: Path) -> None:
    pair = 'augment.flip_pairs=[["[Sit]", "turn_left"]]'
    config, reasons = _by_setting(read_dataset(tiny_folder), pair)
    assert "'turn_right' has no mirror image" in reasons["augment.horizontal_flip"]
    assert config.augment.horizontal_flip == 0


def test_the_network_is_that_of_the_model_to_start_from(tiny_folder: Path) -> None:
    dataset = read_dataset(tiny_folder)
    config, reasons = _by_setting(dataset, "training.pretrained=synthetic")
    trained = load_checkpoint("synthetic").config
    assert config.model == trained.model
    assert config.sampling.num_frames == trained.sampling.num_frames
    assert reasons["model.width"] == "that of synthetic"
    wider, _ = _by_setting(dataset, "training.pretrained=synthetic", "model.width=32")
    assert wider.model.width == 32


def _folder(root: Path, write: Callable[..., Path], side: int, count: int = 5) -> VideoDataset:
    """A class each for odd and even clips of a size."""
    for number in range(count):
        split = "val" if number < 2 else "train"
        frames = np.full((4, side, side + 8, 3), 40 * (number % 6), np.uint8)
        write(root / f"{split}/{'ab'[number % 2]}/{number}.mp4", frames)
    return read_dataset(root)


def test_few_clips_that_are_large_enough_start_from_people(
    tmp_path: Path, write_lossless: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = _folder(tmp_path / "large", write_lossless, 40)
    config, reasons = _by_setting(dataset)
    assert config.training.pretrained == "people"
    assert "3 clips are few" in reasons["training.pretrained"]
    assert config.model == load_checkpoint("people").config.model
    assert config.training.learning_rate == 5e-4
    assert "undo" in reasons["training.learning_rate"]
    scratch = {
        "left empty": _by_setting(dataset, "training.pretrained=")[0],
        "another network": _by_setting(dataset, "model.width=8")[0],
        "small": _by_setting(_folder(tmp_path / "small", write_lossless, 16))[0],
    }
    monkeypatch.setattr(defaults, "_FEW_CLIPS", 2)
    scratch["many"] = _by_setting(dataset)[0]
    for reason, config in scratch.items():
        assert config.training.pretrained == "", reason
        assert config.training.learning_rate == 2e-3, reason


def test_public_weights_choose_nothing(tiny_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "public.safetensors").write_bytes(b"")
    plain, _ = _by_setting(read_dataset(tiny_folder))
    config, _ = _by_setting(
        read_dataset(tiny_folder), f"training.pretrained={tmp_path / 'public.safetensors'}"
    )
    assert config.model == plain.model


def test_small_clips_are_enlarged_less_than_large_ones(
    tiny_folder: Path, tmp_path: Path, write_lossless: Callable[..., Path]
) -> None:
    small, reasons = _by_setting(read_dataset(tiny_folder))
    assert small.augment.short_side == (0.95, 1.25)
    assert "little may be cut away" in reasons["augment.short_side"]
    large, reasons = _by_setting(_folder(tmp_path, write_lossless, 112))
    assert large.augment.short_side == (0.8, 1.6)
    assert "can be enlarged" in reasons["augment.short_side"]
    assert small.augment.rotation == large.augment.rotation > 0
    assert small.augment.rand_augment_operations == large.augment.rand_augment_operations == 0


def test_evaluation_follows_what_is_given_for_a_camera_that_looks_down(tiny_folder: Path) -> None:
    dataset = read_dataset(tiny_folder)
    plain, reasons = _by_setting(dataset)
    assert not plain.evaluation.vertical_flip and not plain.evaluation.quarter_turn
    assert "straight down" in reasons["augment.vertical_flip"]
    down, _ = _by_setting(dataset, "augment.vertical_flip=0.5", "augment.quarter_turn=0.5")
    assert down.evaluation.vertical_flip and down.evaluation.quarter_turn


def test_a_coverage_can_be_given_alone(tiny_folder: Path) -> None:
    config, _ = _by_setting(read_dataset(tiny_folder), "sampling.coverage=0.8")
    assert (config.sampling.method, config.sampling.coverage) == ("segment", 0.8)
    with pytest.raises(ConfigError, match="no effect on random clips"):
        _by_setting(read_dataset(tiny_folder), "sampling.coverage=0.8", "sampling.method=random")
