from collections.abc import Sequence

import numpy as np
import pytest
import torch

from lilliput.checkpoint import Checkpoint
from lilliput.config import Config, EvaluationConfig, SamplingConfig
from lilliput.data import LabelSet
from lilliput.evaluation.views import VideoScorer
from lilliput.task import Task
from lilliput.video.normalisation import KINETICS

MERGES = {"max": np.max, "mean": np.mean}


def _random_net(num_classes: int = 3, size: int = 6) -> torch.nn.Module:
    """Any function of a clip that no mirror and no turn leaves as it is."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(3 * 2 * size * size, num_classes)
    )


def _score(
    net: torch.nn.Module,
    videos: Sequence[torch.Tensor],
    config: EvaluationConfig,
    pairs: Sequence[tuple[int, int]],
    *,
    task: Task = "multi",
    evaluation: str = "centre",
) -> np.ndarray:
    """Scores videos, each of any number of clips, whose clips come three at a time."""
    num_classes = net(videos[0]).shape[1]
    method = "random" if evaluation == "all" else "segment"
    model = Checkpoint(
        state={},
        config=Config(
            task=task,
            sampling=SamplingConfig(method=method, evaluation=evaluation),
            evaluation=config,
        ),
        labels=LabelSet(tuple("abcdef"[:num_classes]), tuple(pairs)),
        normalisation=KINETICS,
        clip_seconds=1.0,
        thresholds=(0.5,) * num_classes,
    )
    scorer = VideoScorer(net, model, len(videos))
    rows = torch.cat([torch.full((len(clips),), row) for row, clips in enumerate(videos)])
    for part, clips in zip(rows.split(3), torch.cat(list(videos)).split(3), strict=True):
        scorer.add(part.numpy(), clips)
    assert scorer.seen == len(videos)
    return scorer.scores()


def _naive(
    net: torch.nn.Module,
    clips: np.ndarray,
    config: EvaluationConfig,
    pairs: tuple[tuple[int, int], ...],
) -> np.ndarray:
    rows = []
    for video in clips:
        by_clip = []
        for clip in video:
            views = []
            for vertical in range(1 + config.vertical_flip):
                for turns in range(1 + config.quarter_turn):
                    for mirrored in range(1 + config.flip):
                        view = clip[:, :, ::-1] if vertical else clip
                        view = np.rot90(view, turns, axes=(2, 3))
                        view = view[:, :, :, ::-1] if mirrored else view
                        logits = net(torch.from_numpy(view.copy())[None])[0].detach().numpy()
                        scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
                        for left, right in pairs if mirrored else ():
                            scores[left], scores[right] = scores[right], scores[left]
                        views.append(scores)
            by_clip.append(MERGES[config.flip_merge](views, axis=0))
        rows.append(MERGES[config.clip_merge](by_clip, axis=0))
    return np.array(rows)


@pytest.mark.parametrize("pairs", [(), ((0, 2),)])
@pytest.mark.parametrize("merges", [("max", "mean"), ("mean", "max"), ("max", "max")])
@pytest.mark.parametrize(
    "views",
    [
        {},
        {"flip": True},
        {"vertical_flip": True},
        {"quarter_turn": True},
        {"flip": True, "vertical_flip": True, "quarter_turn": True},
    ],
)
def test_views_are_those_of_a_naive_loop(
    views: dict[str, bool], merges: tuple[str, str], pairs: tuple[tuple[int, int], ...]
) -> None:
    config = EvaluationConfig(**views, flip_merge=merges[0], clip_merge=merges[1])
    net = _random_net()
    clips = np.random.default_rng(1).normal(size=(4, 3, 3, 2, 6, 6)).astype(np.float32)
    scores = _score(net, torch.from_numpy(clips), config, pairs)
    assert scores.shape == (4, 3)
    np.testing.assert_allclose(scores, _naive(net, clips, config, pairs), atol=1e-6)


def _moving_dot(first: int, last: int, size: int = 8) -> torch.Tensor:
    """(1, 1, 3, T, H, W): a dot that moves from column ``first`` to column ``last``."""
    clip = torch.zeros(1, 1, 3, 3, size, size)
    for time, column in enumerate(np.linspace(first, last, 3).round().astype(int)):
        clip[..., time, 2, column] = 1
    return clip


def _direction(clips: torch.Tensor) -> torch.Tensor:
    """Logits of (moves left, moves right) from the dot's way between first and last frame."""
    columns = clips.mean(1).sum(-2).argmax(-1).float()  # (N, T)
    way = columns[:, -1] - columns[:, 0]
    return torch.stack([-way, way], dim=1)


def _sigmoid(value: float) -> float:
    return 1 / (1 + float(np.exp(-value)))


def test_a_mirrored_view_tells_the_same_direction_once_swapped() -> None:
    to_the_left = _moving_dot(first=6, last=2)
    plain = _score(_direction, to_the_left, EvaluationConfig(), [(0, 1)])
    np.testing.assert_allclose(plain, [[_sigmoid(4), _sigmoid(-4)]], rtol=1e-5)
    for merge in ("max", "mean"):
        config = EvaluationConfig(flip=True, flip_merge=merge)
        scores = _score(_direction, to_the_left, config, [(0, 1)])
        np.testing.assert_allclose(scores, plain, rtol=1e-5)


def test_without_the_swap_a_mirror_spoils_directions() -> None:
    config = EvaluationConfig(flip=True, flip_merge="max")
    scores = _score(_direction, _moving_dot(6, 2), config, [])
    np.testing.assert_allclose(scores, [[_sigmoid(4), _sigmoid(4)]], rtol=1e-5)


@pytest.mark.parametrize("merge", ["max", "mean"])
def test_clips_of_a_video_merge_after_their_mirror_images(merge: str) -> None:
    clips = torch.cat([_moving_dot(6, 2), _moving_dot(2, 4)], dim=1)
    config = EvaluationConfig(flip=True, num_clips=2, clip_merge=merge)
    left, right = ([_sigmoid(4), _sigmoid(-2)], [_sigmoid(-4), _sigmoid(2)])
    expected = [[MERGES[merge](left), MERGES[merge](right)]]
    scores = _score(_direction, clips, config, [(0, 1)])
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_a_quarter_turn_shows_another_axis() -> None:
    upwards = torch.zeros(1, 1, 3, 2, 8, 8)
    upwards[..., 0, 6, 3] = upwards[..., 1, 1, 3] = 1  # no way between columns
    config = EvaluationConfig(quarter_turn=True, flip_merge="mean")
    scores = _score(_direction, upwards, config, [])
    # Turned counter-clockwise, the way of 5 px up leads 5 px to the left.
    np.testing.assert_allclose(
        scores, [[(0.5 + _sigmoid(5)) / 2, (0.5 + _sigmoid(-5)) / 2]], rtol=1e-5
    )


def test_scoring_keeps_no_gradients() -> None:
    net = _random_net()
    _score(net, torch.zeros(1, 1, 3, 2, 6, 6), EvaluationConfig(), [])
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize("task", ["multi", "single"])
def test_all_clips_of_videos_of_any_length_give_their_maximum(task: Task) -> None:
    net = _random_net()
    rng = np.random.default_rng(2)
    videos = [
        torch.from_numpy(rng.normal(size=(count, 3, 2, 6, 6)).astype(np.float32))
        for count in (1, 4, 2)
    ]
    expected = []
    for clips in videos:
        logits = net(clips).detach().numpy().astype(np.float64)
        if task == "multi":
            expected.append((1 / (1 + np.exp(-logits))).max(axis=0))
        else:
            odds = np.exp(logits)
            highest = (odds / odds.sum(axis=1, keepdims=True)).max(axis=0)
            expected.append(highest / highest.sum())
    # The mean is for K clips: it has no say here.
    config = EvaluationConfig(clip_merge="mean")
    scores = _score(net, videos, config, [], task=task, evaluation="all")
    np.testing.assert_allclose(scores, expected, atol=1e-6)
