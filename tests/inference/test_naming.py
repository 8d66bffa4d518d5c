"""What the first argument of a command stands for."""

from pathlib import Path

import pytest

from lilliput.errors import CheckpointError
from lilliput.inference.naming import split_model
from lilliput.weights import DEFAULT_MODEL


@pytest.mark.parametrize("model", ["synthetic", "mine.safetensors", "mine.onnx", "mine.xml"])
def test_models_by_name_and_by_suffix(model: str) -> None:
    assert split_model([model, "a.mp4", "b"]) == (model, ["a.mp4", "b"])
    assert split_model([model]) == (model, [])


def test_a_run_folder_is_a_model_and_a_folder_of_videos_is_not(tmp_path: Path) -> None:
    run, videos = tmp_path / "run", tmp_path / "videos"
    for folder in (run, videos):
        folder.mkdir()
    (run / "best.safetensors").touch()
    assert split_model([str(run), str(videos)]) == (str(run), [str(videos)])
    assert split_model([str(videos), str(run)]) == (DEFAULT_MODEL, [str(videos), str(run)])


@pytest.mark.parametrize("videos", [[], ["a.mp4"], ["rtsp://camera/1", "b.avi"], ["gone"]])
def test_the_model_may_be_left_out(videos: list[str]) -> None:
    assert split_model(videos) == (DEFAULT_MODEL, videos)


def test_a_mistyped_model_is_not_taken_for_a_video() -> None:
    with pytest.raises(CheckpointError, match=r"runs/mien: no such model, video or folder; .*peop"):
        split_model(["runs/mien", "a.mp4"])
