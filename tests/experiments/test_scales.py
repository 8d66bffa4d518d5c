from pathlib import Path

import pytest

from lilliput.config import load_config
from lilliput.data import Clip, LabelSet, VideoDataset
from lilliput.errors import ConfigError
from lilliput.experiments.scales import Scale, changes_in_words, scale_dataset, scale_recipe

BASELINE = load_config("thesis/table_4_03/resnet18")
HEAVY = load_config("thesis/table_4_04/multiscale_fpn_resnet18")


def test_thesis_scale_changes_the_seed_alone() -> None:
    scaled = scale_recipe(HEAVY, Scale.THESIS, seed=7)
    training = HEAVY.training.model_copy(update={"seed": 7})
    assert scaled == HEAVY.model_copy(update={"training": training})


def test_from_scratch_leaves_the_pretrained_weights_out() -> None:
    scaled = scale_recipe(BASELINE, Scale.THESIS, seed=1, from_scratch=True)
    assert changes_in_words([(BASELINE, scaled)]) == [
        "training.pretrained r3d18_K_200ep.pth → none"
    ]


@pytest.mark.parametrize("scale", [Scale.SMALL, Scale.SMOKE])
def test_reductions(scale: Scale) -> None:
    single = scale_recipe(BASELINE, scale, seed=3)
    several = scale_recipe(HEAVY, scale, seed=3)
    assert single.model.input_size == several.model.input_size == 28  # 112 / 4
    assert several.model.input_sizes == (14, 28)  # 14, 56 / 4 and 112 / 4; one 14 of two is left
    for config, recipe in ((single, BASELINE), (several, HEAVY)):
        assert (config.sampling.num_frames, config.sampling.frame_step) == (8, 2)  # 16 frames long
        assert config.model.width < recipe.model.width
        assert config.model.depth == recipe.model.depth
        assert config.training.epochs < recipe.training.epochs
        assert config.training.milestones == recipe.training.milestones
        assert config.training.learning_rate == 1e-3
        assert config.training.pretrained == ""
        assert config.training.seed == 3
        assert config.evaluation == recipe.evaluation


def test_segments_cover_the_video_with_half_the_frames_too() -> None:
    recipe = load_config("thesis/table_4_05/fpn_ad_resnet18_segment")
    sampling = scale_recipe(recipe, Scale.SMALL, seed=1).sampling
    assert (sampling.num_frames, sampling.frame_step) == (8, 1)


def test_overrides_have_the_last_word() -> None:
    scaled = scale_recipe(BASELINE, Scale.SMALL, 1, ("model.width=32", "training.epochs=5"))
    assert (scaled.model.width, scaled.training.epochs) == (32, 5)
    with pytest.raises(ConfigError, match=r"nearest is 'model\.width'"):
        scale_recipe(BASELINE, Scale.SMALL, 1, ("model.widht=32",))


def test_changes_are_told_once_with_every_pair_of_values() -> None:
    pairs = [(recipe, scale_recipe(recipe, Scale.SMALL, 5)) for recipe in (BASELINE, HEAVY, HEAVY)]
    changes = changes_in_words(pairs)
    assert "training.batch_size 96 → 32, 24 → 32" in changes
    assert "model.input_sizes [14, 56, 112] → [14, 28]" in changes
    assert "training.learning_rate 1e-05 → 0.001" in changes
    assert not [change for change in changes if "seed" in change or "workers" in change]


def _dataset(*labels: tuple[int, ...] | None) -> VideoDataset:
    clips = [Clip(str(n), Path(f"{n}.mp4"), given, "r") for n, given in enumerate(labels)]
    return VideoDataset(Path("set"), "test", LabelSet.from_names(["a", "b"]), {"train": clips})


def test_smoke_keeps_the_first_two_clips_of_each_class() -> None:
    dataset = _dataset((0,), (0,), (0,), (0, 1), (0,), (1,), (1,))
    kept = scale_dataset(dataset, Scale.SMOKE).splits["train"]
    assert [clip.clip_id for clip in kept] == ["0", "1", "3", "5"]
    assert scale_dataset(dataset, Scale.SMALL) is dataset


def test_smoke_keeps_clips_whose_labels_are_withheld() -> None:
    kept = scale_dataset(_dataset(None, None, None), Scale.SMOKE).splits["train"]
    assert len(kept) == 2
