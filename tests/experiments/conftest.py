from collections.abc import Callable
from pathlib import Path

import pytest

from lilliput.data import VideoDataset, read_dataset
from lilliput.data.synthetic import write_synthetic
from lilliput.experiments.rows import Figure, Row, Table

RECIPE = """
title = "{title}"
[data]
workers = 0
[sampling]
method = "segment"
num_frames = 4
[augment]
enabled = false
[model]
input_size = 56
adapted = {adapted}
[training]
epochs = 200
[evaluation]
{evaluation}
"""
ROWS = {
    "plain": ("false", ""),
    "adapted": ("true", ""),
    "flip": ("true", 'flip = true\nthreshold = "global"'),  # shares the training of "adapted"
}


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few rendered clips; three splits, all labelled."""
    folder = tmp_path_factory.mktemp("data") / "rendered"
    write_synthetic(folder, num_train=14, num_val=8, num_test=8, workers=1)
    return folder


@pytest.fixture(scope="session")
def dataset(root: Path) -> VideoDataset:
    return read_dataset(root)


@pytest.fixture(scope="session")
def make_tables() -> Callable[[Path], tuple[Table, ...]]:
    """Writes three recipes that two trainings serve, and makes tables of them."""

    def make(folder: Path) -> tuple[Table, ...]:
        folder.mkdir(parents=True, exist_ok=True)
        recipes = {}
        for name, (adapted, evaluation) in ROWS.items():
            path = folder / f"{name}.toml"
            path.write_text(RECIPE.format(title=name, adapted=adapted, evaluation=evaluation))
            recipes[name] = str(path)
        rows = tuple(Row((name,), recipe, (33.0, 30.0, 40.0)) for name, recipe in recipes.items())
        figures = (
            Figure("9.1", "training", (("plain", recipes["plain"]),)),
            Figure("9.2", "val_f1", (("plain", recipes["plain"]), ("flip", recipes["flip"]))),
            Figure("9.3", "per_class", (("flip", recipes["flip"]),)),
            Figure("9.4", "per_size", (("flip", recipes["flip"]),)),
            Figure("9.5", "thresholds", (("flip", recipes["flip"]),)),
        )
        return (
            Table("9.1", "First", ("Method",), rows[:1]),
            Table("9.2", "Second", ("Method",), rows, figures),
        )

    return make
