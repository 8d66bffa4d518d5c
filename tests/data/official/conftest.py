import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

MakeSet = Callable[..., Path]


@pytest.fixture(scope="session")
def tiny_video(
    tmp_path_factory: pytest.TempPathFactory, write_lossless: Callable[..., Path]
) -> Path:
    """Four seconds at 10 frames a second, 24x32 px; frame n is grey level 6 n all over."""
    frames = np.repeat(np.arange(40, dtype=np.uint8) * 6, 24 * 32 * 3).reshape(40, 24, 32, 3)
    return write_lossless(tmp_path_factory.mktemp("video") / "tiny.mp4", frames)


@pytest.fixture
def make_set(tmp_path: Path, tiny_video: Path) -> MakeSet:
    """Writes the texts of lists, and copies of one video, below a new folder."""

    def make(lists: Mapping[str, str], videos: tuple[str, ...]) -> Path:
        root = tmp_path / "set"
        for name, text in lists.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        for name in videos:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tiny_video, root / name)
        return root

    return make
