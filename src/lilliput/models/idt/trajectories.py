"""Points followed along optical flow.

Source: Wang et al., Dense Trajectories and Motion Boundary Descriptors for Action Recognition,
IJCV 2013. Its thresholds are pixels of videos of 240 lines; here they are shares of the side.
"""

from dataclasses import dataclass

import numpy as np

from lilliput.models.idt.flow import corners

_LINES = 240.0  # of the videos that the paper's thresholds were made for
_MAX_SPREAD = 50 / _LINES  # of the side: a deviation above it is drift
_MAX_STEP = 20 / _LINES  # a step above it that is most of the way is a jump
_MOST_OF_THE_WAY = 0.7
_CAMERA_STEP = 1 / _LINES  # what moves less than this beside the camera moves with it


@dataclass(frozen=True)
class Trajectories:
    """M points, each followed through L + 1 frames.

    Attributes:
        starts: (M,) first frames.
        paths: (M, L + 1, 2) positions x and y, px.
    """

    starts: np.ndarray
    paths: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, chosen: np.ndarray) -> "Trajectories":
        return Trajectories(self.starts[chosen], self.paths[chosen])

    @property
    def frames(self) -> np.ndarray:
        """(M, L) the frames from which each step starts."""
        length = self.paths.shape[1] - 1
        return self.starts[:, None] + np.arange(length)

    @property
    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """(M, L) rows and (M, L) columns nearest to where each step starts."""
        columns, rows = np.rint(self.paths[:, :-1]).astype(int).transpose(2, 0, 1)
        return rows, columns

    def sample(self, flow: np.ndarray) -> np.ndarray:
        """(M, L, 2) a flow's value where each step starts."""
        steps: np.ndarray = flow[self.frames, *self.pixels]
        return steps


def follow(frames: np.ndarray, flow: np.ndarray, *, length: int, step: int) -> Trajectories:
    """Starts a point in every free cell of a grid in each frame, and follows all of them.

    Points where the picture is flat are not started; those that leave the picture are lost.

    Args:
        frames: Brightness, uint8.
        flow: From each frame to the next.
        length: Steps L after which a trajectory ends.
        step: Cells of the grid, px.

    Shape:
        - frames: ``(T, H, W)``
        - flow: ``(T - 1, H, W, 2)``
    """
    side = np.array(frames.shape[:0:-1])  # width, height
    paths = np.empty((0, length + 1, 2), np.float32)
    ages = np.empty(0, int)
    done: list[tuple[np.ndarray, np.ndarray]] = []
    for now, motion in enumerate(flow):
        current = paths[np.arange(len(paths)), ages]
        if now + length <= len(flow):
            fresh = _new_points(frames[now], current, step)
            started = np.zeros((len(fresh), length + 1, 2), np.float32)
            started[:, 0] = fresh
            paths = np.concatenate([paths, started])
            ages = np.concatenate([ages, np.zeros(len(fresh), int)])
            current = np.concatenate([current, fresh])
        columns, rows = np.rint(current).astype(int).T
        current = current + motion[rows, columns]
        ages = ages + 1
        paths[np.arange(len(paths)), ages] = current
        inside = ((current >= 0) & (np.rint(current) <= side - 1)).all(axis=1)
        ended = inside & (ages == length)
        done.append((np.full(ended.sum(), now + 1 - length), paths[ended]))
        paths, ages = paths[inside & ~ended], ages[inside & ~ended]
    starts, whole = zip(*done, strict=True)
    return Trajectories(np.concatenate(starts), np.concatenate(whole))


def _new_points(frame: np.ndarray, current: np.ndarray, step: int) -> np.ndarray:
    """(P, 2) the centers of cells that hold no point and are not flat."""
    height, width = frame.shape
    free = np.ones((-(-height // step), -(-width // step)), bool)
    columns, rows = (np.rint(current).astype(int) // step).T
    free[rows, columns] = False
    rows, columns = np.nonzero(free)
    rows, columns = (
        np.minimum(cells * step + step // 2, end - 1)
        for cells, end in ((rows, height), (columns, width))
    )
    solid = corners(frame)[rows, columns]
    points: np.ndarray = np.stack([columns, rows], axis=1)[solid].astype(np.float32)
    return points


def steps_beside(trajectories: Trajectories, camera: np.ndarray) -> np.ndarray:
    """(M, L, 2) how far each step goes beside the camera's motion (T - 1, H, W, 2), px."""
    steps: np.ndarray = np.diff(trajectories.paths, axis=1) - trajectories.sample(camera)
    return steps


def is_motion(steps: np.ndarray, side: int, *, min_motion: float) -> np.ndarray:
    """Which trajectories are neither still, nor the camera's alone, nor errors of the flow.

    Args:
        steps: Those beside the camera's motion, px.
        side: Of the picture, px.
        min_motion: Least deviation of x or y over a trajectory, as a share of the side; 0 keeps
            those that stand still, too.

    Shape:
        - steps: ``(M, L, 2)``
        - Output: ``(M,)`` bool
    """
    spread = steps.cumsum(axis=1).std(axis=1) / side
    lengths = np.linalg.norm(steps, axis=2) / side
    moves = (spread >= min_motion).any(axis=1)
    if min_motion > 0:
        moves &= lengths.max(axis=1) >= _CAMERA_STEP
    longest = lengths.max(axis=1)
    jumps = (longest > _MAX_STEP) & (longest > _MOST_OF_THE_WAY * lengths.sum(axis=1))
    kept: np.ndarray = moves & (spread <= _MAX_SPREAD).all(axis=1) & ~jumps
    return kept
