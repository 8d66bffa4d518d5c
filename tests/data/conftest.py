import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lilliput.video.encode import write_video

MakeVideo = Callable[..., Path]


@pytest.fixture
def make_video() -> MakeVideo:
    """Writes a small noisy video; its seed makes its bytes unlike any other's."""

    def make(
        path: Path, *, frames: int = 4, size: tuple[int, int] = (16, 16), seed: int = 0
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (frames, size[1], size[0], 3)
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        write_video(path, pixels, fps=10)
        return path

    return make


@pytest.fixture
def tiny(tmp_path: Path, make_video: MakeVideo) -> Path:
    """A data set in TinyVIRAT-v2's layout: 4 train, 2 val and 1 test clip, classes b, a."""
    root = tmp_path / "tiny"
    root.mkdir()
    (root / "class_map.json").write_text('{"b": 0, "a": 1}')
    lists = {
        "tiny_train_v2.json": [
            entry("0", "VIRAT_S_000101_a", ["a"]),
            entry("1", "VIRAT_S_000101_a", ["b", "a"]),
            entry("2", "VIRAT_S_000102_b", ["b"]),
            entry("3", "2018-03-07.school.G330.r13", ["a"]),
        ],
        "tiny_val_v2.json": [
            entry("0", "VIRAT_S_000101_a", ["a"]),
            entry("1", "2018-03-09.school.G330.r13", ["b"]),
        ],
        "tiny_test_v2_public.json": [{"id": "00000", "path": "00000.mp4", "dim": [4, 16, 16]}],
    }
    seed = 0
    for name, entries in lists.items():
        (root / name).write_text(json.dumps(entries))
        for item in entries:
            seed += 1
            make_video(root / "videos" / name.split("_")[1] / item["path"], seed=seed)
    return root


def entry(clip_id: str, video_id: str, labels: list[str]) -> dict[str, object]:
    path = f"{video_id}/{clip_id}.mp4"
    return {"id": clip_id, "video_id": video_id, "path": path, "dim": [4, 16, 16], "label": labels}
