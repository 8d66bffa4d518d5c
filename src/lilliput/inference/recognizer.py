"""A video to its actions: decode, sample, transform, score, merge, threshold.

Short videos are one clip, as in training. Longer ones are cut into windows over their whole
length, which are read one after the other, so memory does not grow with the video.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np
import torch

from lilliput.builders import build_evaluation_sampler, build_evaluation_transform
from lilliput.checkpoint import Checkpoint, load_checkpoint
from lilliput.errors import ConfigError, VideoError
from lilliput.evaluation.views import score_views
from lilliput.scoring import apply_thresholds
from lilliput.video.decode import VideoReader

_ARRAY_FPS = 30.0  # assumed of frames that come without a clock


@dataclass(frozen=True)
class Window:
    """The scores of one stretch of a video.

    Attributes:
        start_seconds: Where it begins.
        end_seconds: Where it ends.
        scores: (K,) in [0, 1].
    """

    start_seconds: float
    end_seconds: float
    scores: np.ndarray


@dataclass(frozen=True)
class Prediction:
    """What was recognised in one video.

    Attributes:
        source: The file, or a name for frames that came from memory.
        class_names: (K,) names.
        scores: (K,) the highest score of each class over all windows.
        labels: Names of the classes whose score exceeds its threshold, best first.
        windows: One per stretch; a short video has one.
        warning: None, or what is wrong with the file (its readable part was used).
    """

    source: str
    class_names: tuple[str, ...]
    scores: np.ndarray
    labels: tuple[str, ...]
    windows: tuple[Window, ...]
    warning: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "source": self.source,
            "labels": list(self.labels),
            "scores": self._named(self.scores),
            "windows": [
                {
                    "start_seconds": round(window.start_seconds, 3),
                    "end_seconds": round(window.end_seconds, 3),
                    "scores": self._named(window.scores),
                }
                for window in self.windows
            ],
            "warning": self.warning,
        }

    def _named(self, scores: np.ndarray) -> dict[str, float]:
        return {
            name: round(float(score), 4)
            for name, score in zip(self.class_names, scores, strict=True)
        }


class Recognizer:
    """A loaded model, ready for videos.

    Args:
        checkpoint: The model and all that belongs to it.
        window_seconds: Length of the windows that a longer video is cut into; None takes the
            length of the clips that the model was trained on.
        device: Where to compute; None takes the GPU where there is one.

    Raises:
        ConfigError: The windows have no length.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        window_seconds: float | None = None,
        device: str | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.window_seconds = checkpoint.clip_seconds if window_seconds is None else window_seconds
        if not 0 < self.window_seconds < float("inf"):
            raise ConfigError(f"window_seconds = {self.window_seconds}: give a length in seconds")
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._model = checkpoint.build_model().to(self.device)
        config = checkpoint.config
        self._sample = build_evaluation_sampler(config, config.evaluation.num_clips)
        self._transform = build_evaluation_transform(config, checkpoint.normalisation)

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        window_seconds: float | None = None,
        device: str | None = None,
    ) -> "Recognizer":
        """Loads a checkpoint file, a run folder, or a model that ships with the package.

        Raises:
            CheckpointError: There is none, or it is damaged.
        """
        return cls(load_checkpoint(path), window_seconds=window_seconds, device=device)

    @overload
    def predict(self, video: Path | str | np.ndarray | torch.Tensor) -> Prediction: ...

    @overload
    def predict(self, video: list[Path | str]) -> list[Prediction | VideoError]: ...

    def predict(
        self, video: Path | str | np.ndarray | torch.Tensor | list[Path | str]
    ) -> Prediction | list[Prediction | VideoError]:
        """Recognises the actions in one video, or in each of a list.

        Args:
            video: A file; a list of files, of which an unreadable one yields its error in place
                of a prediction; or frames (T, H, W, 3) or (T, 3, H, W) uint8 RGB at 30 fps.

        Raises:
            VideoError: The one video cannot be read, or the array is no video.
        """
        if isinstance(video, list):
            return list(self.predict_each(video))
        if isinstance(video, np.ndarray | torch.Tensor):
            return self._predict(iter(_as_frames(video)), _ARRAY_FPS, source="array")
        with VideoReader(video) as reader:
            frames = (torch.from_numpy(frame) for frame in reader)
            prediction = self._predict(frames, reader.fps, source=str(video))
            return replace(prediction, warning=reader.damage)

    def predict_each(self, videos: Iterable[Path | str]) -> Iterator[Prediction | VideoError]:
        """Recognises one video after the other; an unreadable one yields its error."""
        for video in videos:
            try:
                yield self.predict(video)
            except VideoError as error:
                yield error

    def _predict(self, frames: Iterable[torch.Tensor], fps: float, source: str) -> Prediction:
        length = max(1, round(self.window_seconds * fps))
        windows = [
            Window(start / fps, (start + len(stretch)) / fps, self._score(stretch))
            for start, stretch in cut_windows(frames, length)
        ]
        scores = np.max([window.scores for window in windows], axis=0)
        return Prediction(
            source, self.checkpoint.labels.class_names, scores, self._label(scores), tuple(windows)
        )

    def _score(self, frames: torch.Tensor) -> np.ndarray:
        picks: Sequence[np.ndarray] = self._sample(len(frames))
        clips = torch.stack([self._transform(frames[torch.from_numpy(pick)]) for pick in picks])
        batch = clips[None].to(self.device)
        scores: np.ndarray = score_views(
            self._model, batch, self.checkpoint.config.evaluation, self.checkpoint.flip_pairs
        )[0]
        return scores

    def _label(self, scores: np.ndarray) -> tuple[str, ...]:
        positive = apply_thresholds(scores[None], np.array(self.checkpoint.thresholds))[0]
        best_first = np.argsort(-scores)
        names = self.checkpoint.labels.class_names
        return tuple(names[index] for index in best_first if positive[index])


def cut_windows(frames: Iterable[torch.Tensor], length: int) -> Iterator[tuple[int, torch.Tensor]]:
    """Cuts a stream of frames into windows that overlap by half.

    The last window ends with the last frame; a stream of at most ``length`` frames is one
    window. Holds ``length`` frames at a time.

    Yields:
        The index of the first frame, and the frames (T, 3, H, W).
    """
    hop = max(1, length // 2)
    window: deque[torch.Tensor] = deque(maxlen=length)
    unseen = 0  # frames that no window has shown yet
    count = 0
    for frame in frames:
        window.append(frame)
        count += 1
        unseen += 1
        if len(window) == length and (unseen >= hop):
            yield count - length, torch.stack(tuple(window))
            unseen = 0
    if unseen:
        yield count - len(window), torch.stack(tuple(window))


def _as_frames(video: np.ndarray | torch.Tensor) -> torch.Tensor:
    if isinstance(video, np.ndarray):
        if video.dtype != np.uint8:
            raise VideoError(f"an array of {video.dtype} is no video; give uint8 of 0..255")
        video = torch.from_numpy(video.copy())  # a reversed view, such as BGR as RGB, is no tensor
    frames = video
    if frames.ndim == 4 and frames.shape[-1] == 3 and frames.shape[1] != 3:
        frames = frames.permute(0, 3, 1, 2)
    if frames.ndim != 4 or frames.shape[1] != 3 or 0 in frames.shape:
        raise VideoError(
            f"an array of shape {tuple(frames.shape)} is no video; give (T, H, W, 3) RGB"
        )
    if frames.dtype != torch.uint8:
        raise VideoError(f"an array of {frames.dtype} is no video; give uint8 of 0..255")
    return frames
