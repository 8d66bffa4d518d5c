"""Cost estimates, against published operation counts and sums done by hand."""

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from lilliput.config import load_config
from lilliput.data import VideoDataset
from lilliput.errors import ConfigError
from lilliput.experiments import cost, listing
from lilliput.experiments.reproduce import Settings
from lilliput.experiments.scales import Scale
from lilliput.experiments.tables import find_tables


@pytest.mark.parametrize(
    ("depth", "adapted", "gmacs"), [(18, False, 8.3), (18, True, 32.9), (50, False, 10.1)]
)
def test_operations_of_a_clip(depth: int, adapted: bool, gmacs: float) -> None:
    overrides = [f"model.depth={depth}", f"model.adapted={str(adapted).lower()}"]
    config = load_config("thesis/table_4_03/resnet18", overrides)
    assert cost.clip_flops(config, 26) / 2e9 == pytest.approx(gmacs, abs=0.1)


def test_a_training_learns_from_one_split_and_scores_the_other() -> None:
    config = load_config("thesis/table_4_03/resnet18", ["training.epochs=5", "model.width=8"])
    passes = 3 * 100 + 20  # forward and twice backward; forward
    assert cost.training_flops(config, 26, 100, 20) == 5 * passes * cost.clip_flops(config, 26)


def test_gpus_are_known_by_name() -> None:
    assert cost.gpu_rate("h100") > cost.gpu_rate("a100") > cost.gpu_rate("t4") > 1e12
    with pytest.raises(ConfigError, match="--gpu gtx: not known; known are h100, a100"):
        cost.gpu_rate("gtx")


def test_this_machine_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "_MEASURING_SECONDS", 0.01)
    config = load_config("thesis/table_4_03/resnet18", ["model.width=4", "model.input_size=14"])
    assert 1e6 < cost.measure_rate(config) < 1e15 * (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (90, "1.5 min"), (7200, "2.0 h"), (259200, "3.0 d")],
)
def test_durations(seconds: float, words: str) -> None:
    assert listing.duration_in_words(seconds) == words


def _list(dataset: VideoDataset | None, settings: Settings, *names: str) -> str:
    text = io.StringIO()
    console = Console(file=text, width=100)
    listing.print_list(find_tables(names), dataset, Path("none"), settings, "h100", console)
    return text.getvalue()


def test_a_shared_training_is_paid_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "measure_rate", lambda config: 1e12)
    baseline = load_config("thesis/table_4_03/resnet18")
    seconds = cost.training_flops(baseline, 26, 16950, 3308) / 1e12
    here = listing.duration_in_words(2 * seconds)  # two seeds
    told = _list(None, Settings(seeds=(1, 2)), "table-4.3", "table-4.12")
    lines = [line for line in told.splitlines() if "ResNet18" in line]
    assert [("shared" in line, here in line) for line in lines] == [(False, True), (True, False)]
    assert "0 of 2" in lines[0]
    assert "4 trainings at scale thesis on TinyVIRAT-v2" in told


def test_smoke_is_estimated_for_its_few_clips(
    monkeypatch: pytest.MonkeyPatch, dataset: VideoDataset
) -> None:
    monkeypatch.setattr(listing, "measure_rate", lambda config: 1e6)
    published = _list(None, Settings(scale=Scale.SMOKE), "table-4.3")
    rendered = _list(dataset, Settings(scale=Scale.SMOKE), "table-4.3")
    assert "min" in rendered or " h" in rendered
    assert published.split("left: ")[1] != rendered.split("left: ")[1]
