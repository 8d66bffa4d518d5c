"""Expected durations, by hand from the seconds of single steps."""

from pathlib import Path

import pytest
import torch

from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.training import duration
from lilliput.training.duration import estimate_folds_seconds, estimate_seconds
from lilliput.training.fit import fit, settle
from tests.training.conftest import micro

_STEP, _READ, _TEACH = 8.0, 0.5, 3.0
_EPOCH = 0.7


@pytest.fixture(autouse=True)
def _known_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(duration, "_time_step", lambda *_: _STEP)
    monkeypatch.setattr(duration, "_time_reading", lambda *_: _READ)


def _change(config: Config, **training: object) -> Config:
    data = config.data.model_copy(update={"workers": 0})
    changed = config.training.model_copy(update=training)
    return config.model_copy(update={"training": changed, "data": data})


def test_a_training(config: Config, dataset: VideoDataset) -> None:
    train, val = (len(dataset.split(name)) for name in ("train", "val"))
    config = _change(config, epochs=3, passes=2, batch_size=4)
    steps = 3 * -(-2 * train // 4)
    expected = steps * (_STEP + 4 * _READ) + 3 * val * (_STEP / 4 / 3 + _READ) + 3 * _EPOCH
    assert estimate_seconds(config, dataset) == pytest.approx(expected)


def test_folds_train_on_the_clips_of_the_others(config: Config, dataset: VideoDataset) -> None:
    train, val = (len(dataset.split(name)) for name in ("train", "val"))
    config = _change(config, epochs=1, batch_size=1 + train + val)
    whole = _STEP + (1 + train + val) * _READ + _EPOCH
    for ensemble, times in ((False, 5), (True, 4)):  # four fifths five times, and once all
        seconds = estimate_folds_seconds(config, dataset, 5, ensemble=ensemble)
        assert seconds == pytest.approx(times * whole)


def test_teachers_are_counted(
    config: Config, dataset: VideoDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = len(dataset.split("train"))
    monkeypatch.setattr(duration, "_time_teachers", lambda *_: 0.0)
    config = _change(config, epochs=2, passes=1, batch_size=clips)
    without = estimate_seconds(config, dataset)
    monkeypatch.setattr(duration, "_time_teachers", lambda *_: _TEACH)
    augment = {"horizontal_flip": 0.5, "vertical_flip": 0.1, "quarter_turn": 0.0}
    config = config.model_copy(update={"augment": config.augment.model_copy(update=augment)})
    seconds = estimate_seconds(config, dataset)
    assert seconds - without == pytest.approx(4 * clips * _TEACH)  # once in each of four views
    seconds = estimate_seconds(_change(config, teacher_views="same"), dataset)
    assert seconds - without == pytest.approx(2 * clips * _TEACH)  # at each of two steps


def test_teachers_are_timed(dataset: VideoDataset, tmp_path: Path) -> None:
    teacher = fit(micro(epochs=1), dataset, tmp_path / "teacher")
    config = settle(micro(), dataset)
    assert duration._time_teachers(config, dataset.labels) == 0
    one = _change(config, teacher=(str(teacher),))
    assert duration._time_teachers(one, dataset.labels) > 0
