"""Every setting, in one place: frozen models, TOML in, JSON out.

A recipe is a TOML file with the sections of ``Config``; whatever it leaves out takes the default,
which is the thesis' setting. Nothing here imports torch, so that a misspelt setting is reported
at once.
"""

from lilliput.config.loading import (
    VIEW_SETTINGS,
    change_settings,
    change_views,
    load_config,
    parse_config,
    parse_override,
    put_setting,
    recipe_names,
)
from lilliput.config.model import INPUT_SIZES, ModelConfig
from lilliput.config.sections import (
    NEUTRAL_SETTINGS,
    AugmentConfig,
    Config,
    DataConfig,
    EvaluationConfig,
    SamplingConfig,
)
from lilliput.config.training import LossConfig, TrainingConfig

__all__ = [
    "INPUT_SIZES",
    "NEUTRAL_SETTINGS",
    "VIEW_SETTINGS",
    "AugmentConfig",
    "Config",
    "DataConfig",
    "EvaluationConfig",
    "LossConfig",
    "ModelConfig",
    "SamplingConfig",
    "TrainingConfig",
    "change_settings",
    "change_views",
    "load_config",
    "parse_config",
    "parse_override",
    "put_setting",
    "recipe_names",
]
