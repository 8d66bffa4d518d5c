"""Where a training's curves go, beside ``history.csv``: each below the run folder."""

import importlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from lightning.pytorch.loggers import (
    CSVLogger,
    Logger,
    MLFlowLogger,
    TensorBoardLogger,
    WandbLogger,
)

from lilliput.config import Config, TrainingConfig
from lilliput.errors import ConfigError

_PROJECT = "lilliput"
# Modules behind the extras of the same names.
_NEEDS = {"mlflow": ("mlflow", "alembic", "sqlalchemy"), "wandb": ("wandb",)}


def check_loggers(config: TrainingConfig) -> None:
    """Refuses a logger whose packages are missing.

    Raises:
        ConfigError: One is; the message names the extra to install.
    """
    for name in config.loggers:
        missing = [module for module in _NEEDS.get(name, ()) if not _is_installed(module)]
        if missing:
            raise ConfigError(
                f"training.loggers: '{name}' needs the package {missing[0]}; "
                f"pip install 'lilliput[{name}]'"
            )


@contextmanager
def open_loggers(config: Config, folder: Path) -> Iterator[list[Logger]]:
    """The loggers of a recipe, for one training.

    Those that compare runs get the recipe, too. A resumed run is another one to them and to
    ``csv``, of the same name.
    """
    loggers = [_LOGGERS[name](folder) for name in dict.fromkeys(config.training.loggers)]
    for logger in loggers:
        if isinstance(logger, MLFlowLogger | WandbLogger):
            logger.log_hyperparams(config.model_dump(mode="json"))
    try:
        yield loggers
    finally:
        if any(isinstance(logger, WandbLogger) for logger in loggers):
            # The next training of this process would go on in the same run.
            importlib.import_module("wandb").finish()


def _build_mlflow(folder: Path) -> Logger:
    importlib.import_module("mlflow")  # which sets its own level: it tells of each table it makes
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    store = folder.resolve() / "mlflow"
    store.mkdir(exist_ok=True)
    return MLFlowLogger(
        _PROJECT,
        run_name=folder.name,
        tracking_uri=f"sqlite:///{store / 'mlflow.db'}",
        artifact_location=store.as_uri(),
    )


def _build_wandb(folder: Path) -> Logger:
    wandb = importlib.import_module("wandb")
    wandb.setup(wandb.Settings(silent=True, mode="offline"))
    return WandbLogger(folder.name, project=_PROJECT, save_dir=folder, offline=True)


_LOGGERS: dict[str, Callable[[Path], Logger]] = {
    "tensorboard": lambda folder: TensorBoardLogger(folder, name="tensorboard", version=""),
    "csv": lambda folder: CSVLogger(folder, name="csv"),
    "mlflow": _build_mlflow,
    "wandb": _build_wandb,
}


def _is_installed(module: str) -> bool:
    spec = find_spec(module)
    return spec is not None and spec.origin is not None  # a folder of that name is no package
