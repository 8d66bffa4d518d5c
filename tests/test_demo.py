"""The demo at toy size: it ends, goes on where it was, and tells what it made."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lilliput import demo
from lilliput.config import Config, load_config

TOY = ("model.width=2", "model.input_size=14", "training.epochs=1", "data.workers=0")


def _run(folder: Path) -> str:
    text = StringIO()
    demo.run_demo(folder, Console(file=text, width=200))
    return text.getvalue()


def test_demo_makes_what_it_says_and_can_be_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def toy(recipe: str) -> Config:
        return load_config(recipe, TOY)

    monkeypatch.setattr(demo, "NUM_CLIPS", {"num_train": 24, "num_val": 12, "num_test": 6})
    monkeypatch.setattr(demo, "load_config", toy)
    monkeypatch.setattr(demo, "SCENE_SECONDS", 10.0)
    told = _run(tmp_path)
    assert "24 train, 12 val, 6 test clips of 26 classes, all rendered, none filmed" in told
    assert "guessing: every label" in told
    assert "watching a rendered scene with the shipped model 'people'" in told
    assert (tmp_path / "watched" / "scene" / "annotated.mp4").is_file()
    for made in ("best.safetensors", "curves.png", "val/report.html", "test/report.html"):
        assert (tmp_path / "run" / made).is_file(), made
    model = (tmp_path / "run" / "best.safetensors").read_bytes()
    assert "what it learned" in _run(tmp_path)
    assert (tmp_path / "run" / "best.safetensors").read_bytes() == model
