import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from lilliput.builders import MODELS
from lilliput.config import (
    Config,
    ModelConfig,
    change_views,
    load_config,
    parse_config,
    recipe_names,
)
from lilliput.errors import ConfigError


def _recipe(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return _recipe(tmp_path, "")


def test_recipes_ship() -> None:
    assert {"demo", "fir16", "thesis/table_4_03/resnet18"} <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_loads_and_has_a_title(name: str) -> None:
    assert load_config(name).title


def test_thesis_baseline_says_what_the_thesis_says() -> None:
    config = load_config("thesis/table_4_03/resnet18")
    assert (config.model.depth, config.model.width, config.model.input_size) == (18, 64, 112)
    assert not config.model.adapted
    assert (config.training.learning_rate, config.training.epochs) == (1e-3, 200)
    assert config.training.milestones == (0.25, 0.5, 0.75)
    assert not config.augment.enabled
    assert (config.evaluation.threshold, config.evaluation.fixed_threshold) == ("fixed", 0.5)


def test_an_empty_recipe_is_all_defaults(empty: Path) -> None:
    assert load_config(empty) == Config()


def test_a_recipe_survives_json() -> None:
    config = load_config("fir16")
    assert parse_config(config.model_dump(mode="json"), "json") == config


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        Config().training.epochs = 3


def test_every_model_a_recipe_may_name_can_be_built() -> None:
    assert set(get_args(ModelConfig.model_fields["name"].annotation)) == set(MODELS)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("training.epoch=3", "no setting is called 'training.epoch'; nearest is 'training.epochs'"),
        ("trainning.epochs=3", "no setting is called 'trainning'; nearest is 'training'"),
        ("epochs=3", "no setting is called 'epochs'; nearest is 'training.epochs'"),
        (
            "training.precision=bf61",
            "training.precision = 'bf61': input should be 'auto', 'fp32', 'bf16' or 'fp16'; "
            "nearest is 'bf16'",
        ),
        ("model.name=resnet", "nearest is 'resnet3d'"),
        ("model.input_size=13", "model.input_size = 13: must be 14, 28, 56, 112 or 224, so that"),
        ("training.epochs=1.5", "training.epochs = 1.5: input should be a valid integer"),
        ("training.epochs=many", "training.epochs = 'many': input should be a valid integer"),
        ("training.batch_size=1", "training.batch_size = 1: input should be greater than or equal"),
        ("training.learning_rate=inf", "training.learning_rate = inf: "),
        ("training.learning_rate=nan", "training.learning_rate = nan: "),
        ("training.milestones=[0.5, 3]", "training.milestones = 3: input should be less than"),
        ("training.devices=0", "input should be 'auto' or input should be greater than"),
        ("training=5", "training = 5: input should be a valid dictionary"),
        ("augment.short_side=[2, 1]", "augment.short_side = [2, 1]: must be two factors"),
        ("augment.short_side=[1.5]", "augment.short_side"),
        ("augment.short_side=[0.4, 1]", "must be two factors, 0.5 <= low <= high"),
        ("augment.padding=0.6", "augment.padding = 0.6: input should be less than or equal to"),
        ("augment.rotation=-1", "augment.rotation = -1: input should be greater than or equal"),
        ("augment.contrast=1", "augment.contrast = 1: input should be less than 1"),
        ("data.val=[1]", "data.val = [1]: input should be a valid string"),
    ],
)
def test_a_wrong_setting_names_its_place_and_the_nearest(
    empty: Path, override: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(empty, [override])
    message = str(caught.value)
    assert message.startswith(f"{empty} with --set: ")
    assert expected in message
    assert "\n" not in message


def test_a_wrong_setting_in_the_file_is_found_too(tmp_path: Path) -> None:
    path = _recipe(tmp_path, "[evaluation]\nnumclips = 3\n")
    with pytest.raises(ConfigError, match=r"'evaluation\.numclips'; nearest is 'evaluation\.num_c"):
        load_config(path)


def test_thresholds_per_class_need_an_objective_that_splits_by_class(empty: Path) -> None:
    overrides = ["evaluation.threshold=per_class", "evaluation.objective=micro_f1"]
    with pytest.raises(ConfigError, match=r"evaluation\.objective = 'micro_f1' cannot be tuned"):
        load_config(empty, overrides)
    overrides[0] = "evaluation.threshold=global"
    assert load_config(empty, overrides).evaluation.objective == "micro_f1"


def test_patience_needs_a_split_to_stop_on(empty: Path) -> None:
    overrides = ["training.patience=5", "data.val="]
    with pytest.raises(ConfigError, match=r"training\.patience = 5: there is no validation split"):
        load_config(empty, overrides)
    assert load_config(empty, overrides[1:]).data.val == ""
    assert load_config(empty, overrides[:1]).training.patience == 5


def test_a_frame_step_that_would_be_ignored_is_refused(empty: Path) -> None:
    overrides = ["sampling.method=segment", "sampling.frame_step=2"]
    with pytest.raises(ConfigError, match=r"sampling\.frame_step = 2 has no effect on segments"):
        load_config(empty, overrides)
    assert load_config(empty, overrides[1:]).sampling.frame_step == 2


def test_a_coverage_that_would_be_ignored_is_refused(empty: Path) -> None:
    overrides = ["sampling.method=segment", "sampling.coverage=0.8"]
    with pytest.raises(ConfigError, match=r"sampling\.coverage = 0\.8 has no effect on random"):
        load_config(empty, overrides[1:])
    assert load_config(empty, overrides).sampling.coverage == 0.8


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("training.epochs=3", "training", "epochs", 3),
        ("training.learning_rate=2e-3", "training", "learning_rate", 0.002),
        ("model.adapted=true", "model", "adapted", True),
        ("model.adapted=False", "model", "adapted", False),
        ("data.val=held out", "data", "val", "held out"),
        ('data.val="test"', "data", "val", "test"),
        ("data.val=a=b", "data", "val", "a=b"),
        ("training.milestones=[0.5, 0.9]", "training", "milestones", (0.5, 0.9)),
        ("augment.short_side=[1, 1.25]", "augment", "short_side", (1.0, 1.25)),
        (" training.devices =2", "training", "devices", 2),
    ],
)
def test_overrides(empty: Path, override: str, section: str, key: str, value: object) -> None:
    assert getattr(getattr(load_config(empty, [override]), section), key) == value


def test_overrides_beat_the_file_and_the_last_one_wins(tmp_path: Path) -> None:
    path = _recipe(tmp_path, 'title = "mine"\n[training]\nepochs = 7\nbatch_size = 5\n')
    config = load_config(path, ["training.epochs=8", "training.epochs=9"])
    assert (config.title, config.training.epochs, config.training.batch_size) == ("mine", 9, 5)


def test_an_override_must_be_an_assignment(empty: Path) -> None:
    with pytest.raises(ConfigError, match=r"--set training\.epochs: write it as section\.key="):
        load_config(empty, ["training.epochs"])


def test_an_override_below_a_value_is_refused(tmp_path: Path) -> None:
    path = _recipe(tmp_path, "[training]\nepochs = 7\n")
    with pytest.raises(ConfigError, match="'epochs' is no section"):
        load_config(path, ["training.epochs.first=1"])


@pytest.mark.parametrize("text", ["[training\n", "a = ", "epochs: 3", "\x00"])
def test_broken_toml_is_named(tmp_path: Path, text: str) -> None:
    path = _recipe(tmp_path, text)
    with pytest.raises(ConfigError, match=r"mine\.toml: not valid TOML \("):
        load_config(path)


def test_other_encodings_are_named_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes('title = "é"'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"mine\.toml: not valid TOML"):
        load_config(path)
    path.write_bytes('title = "é"'.encode("utf-8-sig"))
    assert load_config(path).title == "é"


def test_unknown_recipes_name_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no recipe is called 'fir61'; nearest is 'fir16'"):
        load_config("fir61")
    with pytest.raises(ConfigError, match=r"none\.toml: no such recipe file"):
        load_config(tmp_path / "none.toml")


def test_configuration_does_not_wait_for_torch() -> None:
    code = "import sys, lilliput.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_views_of_a_trained_model_can_change() -> None:
    changed = change_views(Config(), ["evaluation.flip=true", "evaluation.num_clips=5"])
    assert changed.evaluation.flip
    assert changed.evaluation.num_clips == 5
    assert changed.model == Config().model
    for override in ("model.width=8", "evaluation.threshold='global'", "nonsense"):
        with pytest.raises(ConfigError, match="a trained model can change"):
            change_views(Config(), [override])


def test_a_batch_holds_all_views_of_its_clips(empty: Path) -> None:
    overrides = ["training.batch_size=8", "augment.crops_per_clip=2", "augment.repeated=3"]
    with pytest.raises(ConfigError, match=r"batch_size = 8 is no multiple of the 6 .* use 12$"):
        load_config(empty, overrides)
    load_config(empty, [*overrides, "training.batch_size=12"])
    load_config(empty, [*overrides, "augment.enabled=false"])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("wide=true", "wide = True has no effect on resnet3d of depth 18"),
        ("name=r2plus1d,depth=50", "depth = 50 has no effect on r2plus1d in torchvision's layout"),
        ("name=r2plus1d,layout=kenshohara,depth=50,wide=true", "wide = True has no effect on"),
        ("name=fpn,layout=kenshohara", "layout = kenshohara has no effect on fpn"),
        ("name=c3d,fusion=late", "fusion = late has no effect on c3d"),
        ("name=mvit,class_token=true", "class_token = True has no effect on mvit"),
        ("name=resnet3d,p3d_blocks=a", "p3d_blocks = a has no effect on resnet3d"),
        ("name=p3d", "model.depth = 18: p3d has depth 50, 101 or 152"),
        ("name=image_pyramid", "image_pyramid needs two or more sizes, growing"),
        ("name=deepvideo,fusion=both", "should be 'single', 'early', 'late' or 'slow'"),
    ],
)
def test_settings_of_other_networks_are_refused(empty: Path, model: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(empty, [f"model.{setting}" for setting in model.split(",")])


@pytest.mark.parametrize(
    "model",
    [
        "depth=152",
        "depth=50,wide=true",
        "name=r2plus1d,layout=kenshohara,depth=50,adapted=true,width=8",
        "name=fpn,backbone=r2plus1d,layout=kenshohara,depth=34,stochastic_depth=0.1",
        "name=p3d,depth=101,adapted=true",
        "name=video_vit,class_token=true,stem=conv",
    ],
)
def test_settings_of_a_network_are_taken(empty: Path, model: str) -> None:
    load_config(empty, [f"model.{setting}" for setting in model.split(",")])


@pytest.mark.parametrize("model", ["name=c3d", "name=fpn,backbone=r2plus1d", "name=mvit"])
def test_stochastic_depth_is_refused_by_networks_without_it(empty: Path, model: str) -> None:
    overrides = [f"model.{setting}" for setting in model.split(",")]
    with pytest.raises(ConfigError, match=r"model\.stochastic_depth = 0\.1 has no effect on"):
        load_config(empty, [*overrides, "model.stochastic_depth=0.1"])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["training.momentum=0.5"], "training.momentum has no effect without training.optimizer"),
        (["training.warmup=0.1"], "training.warmup has no effect without training.schedule"),
        (
            ["training.schedule=one_cycle", "training.milestones=[0.5]"],
            "training.milestones has no effect without training.schedule = 'multistep'",
        ),
        (["training.freeze_epochs=1"], "training.freeze_epochs has no effect without"),
        (["training.freeze_batch_norm=true"], "training.freeze_batch_norm has no effect without"),
        (
            ["training.pretrained=x", "training.epochs=2", "training.freeze_epochs=2"],
            "none would be left to train the whole network",
        ),
        (["training.teacher_weight=0.1"], "training.teacher_weight has no effect without"),
        (
            ["training.teacher=x", "training.teacher_features=1.0"],
            "training.teacher_features has no effect without training.teacher_views = 'same'",
        ),
        (["augment.mixing=adaptive"], "augment.mixing has no effect without augment.mixup"),
        (["loss.gamma=1.0"], "loss.gamma has no effect on auto"),
        (
            ["loss.name=asymmetric", "loss.label_smoothing=0.1"],
            "loss.label_smoothing has no effect on the asymmetric loss",
        ),
    ],
)
def test_settings_without_effect_are_refused(
    empty: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message.replace(".", r"\.")):
        load_config(empty, overrides)


def test_one_teacher_needs_no_list(empty: Path) -> None:
    assert load_config(empty, ["training.teacher=runs/a"]).training.teacher == ("runs/a",)
    both = load_config(empty, ['training.teacher=["a", "b"]']).training.teacher
    assert both == ("a", "b")
    assert load_config(empty, ["training.teacher="]).training.teacher == ()


def test_the_settings_of_a_run_are_a_recipe(empty: Path, tmp_path: Path) -> None:
    config = load_config(empty, ["training.epochs=7", "task=single"])
    (tmp_path / "config.json").write_text(config.model_dump_json())
    assert load_config(tmp_path / "config.json") == config
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(ConfigError, match=r"config\.json: must hold the sections of a recipe"):
        load_config(tmp_path / "config.json")


@pytest.mark.parametrize(
    ("overrides", "remedy"),
    [
        (["sampling.method=segment"], "sampling.evaluation = 'all' has no effect on segments"),
        (["evaluation.num_clips=5"], "evaluation.num_clips = 5 has no effect with"),
    ],
)
def test_all_clips_go_with_random_clips_alone(
    empty: Path, overrides: list[str], remedy: str
) -> None:
    with pytest.raises(ConfigError, match=remedy):
        load_config(empty, ["sampling.evaluation=all", *overrides])
    load_config(empty, overrides)


def test_all_clips_count_by_their_maximum_and_a_trained_model_may_change_it() -> None:
    config = change_views(Config(), ["sampling.evaluation=all"])
    assert config.clip_merge == "max"
    assert change_views(config, ["sampling.evaluation=centre"]).clip_merge == "mean"
    with pytest.raises(ConfigError, match="a trained model can change"):
        change_views(config, ["sampling.method=segment"])


def test_settings_of_before_keep_what_was_done_then() -> None:
    settings = Config().model_dump(mode="json")
    for section, key in (
        ("sampling", "evaluation"), ("model", "resize"), ("training", "keep"),
        ("augment", "rand_augment_probability"),
    ):  # fmt: skip
        del settings[section][key]
    old = parse_config(settings, "an old checkpoint")
    assert (old.sampling.evaluation, old.model.resize) == ("centre", "short_side")
    assert (old.training.keep, old.augment.rand_augment_probability) == ("best", 1.0)
