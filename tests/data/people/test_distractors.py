import numpy as np
import pytest

from lilliput.data.people import distractors
from lilliput.data.people.distractors import distract

LIGHT = np.array([0.3, -1.0]) / np.hypot(0.3, 1)


@pytest.mark.parametrize("kind", dict.fromkeys(distractors._KINDS), ids=lambda kind: kind.__name__)
def test_what_is_tracked_moves_in_the_middle(kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distractors, "_KINDS", (kind,))
    middles = []
    for seed in range(12):
        canvas = np.full((9, 48, 48, 3), 0.5, np.float32)
        distract(np.random.default_rng(seed), canvas, LIGHT, tracked=True)
        assert np.isfinite(canvas).all() and canvas.min() >= 0
        drawn = np.abs(canvas - 0.5).max(axis=(0, 3)) > 0.02
        assert drawn.mean() > 0.02
        middles.append(np.argwhere(drawn).mean(axis=0))
        assert np.abs(np.diff(canvas, axis=0)).max() > 0
    np.testing.assert_allclose(np.mean(middles, axis=0), 23.5, atol=8)


def test_others_lie_anywhere() -> None:
    middles = []
    for seed in range(60):
        canvas = np.full((3, 48, 48, 3), 0.5, np.float32)
        distract(np.random.default_rng(seed), canvas, LIGHT, tracked=False)
        if (drawn := np.abs(canvas - 0.5).max(axis=(0, 3)) > 0.02).any():
            middles.append(np.argwhere(drawn).mean(axis=0)[1])
    assert min(middles) < 12 and max(middles) > 36
