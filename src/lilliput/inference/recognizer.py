"""A video to its actions: decode, sample, transform, score, merge, threshold.

Short videos are one clip, as in training. Longer ones are cut into windows over their whole
length, which are read one after the other, so memory does not grow with the video.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import overload

import numpy as np
import torch

from lilliput.builders import build_evaluation_sampler, build_evaluation_transform
from lilliput.checkpoint import Checkpoint, Description
from lilliput.errors import ConfigError, VideoError
from lilliput.evaluation.views import VideoScorer
from lilliput.inference.engines import Engine
from lilliput.inference.engines.pytorch import TorchEngine
from lilliput.inference.loading import load_model
from lilliput.inference.prediction import Prediction, Window
from lilliput.inference.windows import SourceFrame, WindowClips, cut_windows, in_batches
from lilliput.video.decode import LazyFrame, VideoReader

__all__ = ["Prediction", "Recognizer", "Window"]

_ARRAY_FPS = 30.0  # assumed of frames that come without a clock
_CLIPS_AT_ONCE = 64
_WINDOWS_ON_GPU = 8  # scored together; a CPU is as fast with one at a time
_MAX_FPS = 120.0  # of what a window is made from, whatever a header claims
_MAX_WINDOW_BYTES = 2**28  # of whole pictures; above it, each is scaled as soon as it is decoded


class Recognizer:
    """A loaded model, ready for videos.

    Args:
        model: A checkpoint, or the description of the network in ``engine``.
        engine: What runs the network; None runs the checkpoint's in PyTorch.
        window_seconds: Length of the windows that a longer video is cut into; None takes the
            length of the clips that the model was trained on.

    Attributes:
        description: Class names, thresholds and all else that belongs to the model.
        note: What to tell whoever reads its predictions; empty for nothing.
        windows_at_once: How many windows are scored fastest together.

    Raises:
        ConfigError: The windows have no length.
    """

    def __init__(
        self,
        model: Description,
        engine: Engine | None = None,
        *,
        window_seconds: float | None = None,
    ) -> None:
        if engine is None:
            if not isinstance(model, Checkpoint):
                raise ConfigError("a description has no weights; give the engine that has them")
            engine = TorchEngine(model.build_model())
        self.description = model
        self.engine = engine
        self.note = "; ".join(filter(None, (model.note, engine.note)))
        self.window_seconds = model.clip_seconds if window_seconds is None else window_seconds
        if not 0 < self.window_seconds < float("inf"):
            raise ConfigError(f"window_seconds = {self.window_seconds}: give a length in seconds")
        self.windows_at_once = 1 if engine.device.type == "cpu" else _WINDOWS_ON_GPU
        self._clips = WindowClips(
            build_evaluation_sampler(model.config),
            build_evaluation_transform(model.config, model.normalisation),
        )

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        engine: str = "auto",
        precision: str | None = None,
        window_seconds: float | None = None,
        device: str | None = None,
    ) -> "Recognizer":
        """Loads a checkpoint, a run folder, a model that ships with the package, or an export.

        Args:
            path: Which model.
            engine: ``"torch"``, ``"onnx"``, ``"openvino"`` or ``"auto"``, the fastest there is;
                see ``load_model``.
            precision: ``"fp32"``, ``"bf16"`` or ``"int8"``; None is fp32, and for an export what
                it was made for.
            window_seconds: As for the class.
            device: Where PyTorch computes; None takes the GPU where there is one.

        Raises:
            CheckpointError: There is no such model, or it is damaged.
            ConfigError: It does not run in this engine or precision.
        """
        description, loaded = load_model(path, engine=engine, precision=precision, device=device)
        return cls(description, loaded, window_seconds=window_seconds)

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
            frames = (SourceFrame(pixels.contiguous) for pixels in _as_frames(video))
            return self._predict(enumerate(frames), _ARRAY_FPS, source="array", name="")
        with VideoReader(video) as reader:
            fps = min(reader.fps, _MAX_FPS)
            shown = self._take(reader.iter_steady(fps), self._length(fps))
            prediction = self._predict(shown, fps, source=str(video), name=Path(video).stem)
            return replace(prediction, warning="; ".join(reader.notes) or None)

    def predict_each(self, videos: Iterable[Path | str]) -> Iterator[Prediction | VideoError]:
        """Recognises one video after the other; an unreadable one yields its error."""
        for video in videos:
            try:
                yield self.predict(video)
            except VideoError as error:
                yield error

    def _length(self, fps: float) -> int:
        return max(1, round(self.window_seconds * fps))

    def _take(
        self, shown: Iterable[tuple[int, LazyFrame]], length: int
    ) -> Iterator[tuple[int, SourceFrame]]:
        """A picture that stands is the same frame in every step, and prepared once."""
        last: LazyFrame | None = None
        for step, picture in shown:
            if picture is not last:
                last, frame = picture, SourceFrame.of_video(picture)
                if length * picture.num_bytes > _MAX_WINDOW_BYTES:
                    self._clips.prepare([frame])
            yield step, frame

    def _predict(
        self, pictures: Iterable[tuple[int, SourceFrame]], fps: float, source: str, name: str
    ) -> Prediction:
        names = self.description.labels.class_names
        # One growing block: an array per window, scattered between the frames that come and go,
        # would keep their memory from being used again.
        spans, packed = [], array("f")
        cut = cut_windows(pictures, self._length(fps))
        for batch in in_batches(cut, self.windows_at_once):
            # The first window of a video is named as the clip that evaluation would make of it.
            starts = [f"{name}@{start}" if start else name for start, _ in batch]
            scores = self.score_windows([window for _, window in batch], starts)
            packed.frombytes(scores.tobytes())
            spans += [(start / fps, (start + len(window)) / fps) for start, window in batch]
        rows = np.array(packed, dtype=np.float32).reshape(len(spans), len(names))
        windows = tuple(Window(*span, row) for span, row in zip(spans, rows, strict=True))
        task = self.description.task
        # One label holds for the whole video; any number may come and go.
        scores = rows.mean(axis=0) if task == "single" else rows.max(axis=0)
        return Prediction(source, names, scores, self._label(scores), windows, task=task)

    def prepare(self, frames: Sequence[SourceFrame]) -> torch.Tensor:
        """(V, 3, T, S, S) what the network is given of a window: V clips of the frames it picks."""
        return self._clips(frames)

    def score_windows(
        self, windows: Sequence[Sequence[SourceFrame]], names: Sequence[str] = ()
    ) -> np.ndarray:
        """(N, K) scores of N windows, each given as all its frames, of which it takes its pick.

        Args:
            windows: Their frames.
            names: Of the windows; where several clips of each take random frames, windows of
                other names take others.
        """
        scorer = VideoScorer(self.engine, self.description, len(windows))
        picks = (
            (row, frames)
            for row, window in enumerate(windows)
            for frames in self._clips.pick(window, names[row] if names else "")
        )
        for batch in in_batches(picks, _CLIPS_AT_ONCE):  # a long window may have many
            clips = self._clips.make([frames for _, frames in batch])
            scorer.add([row for row, _ in batch], clips.to(self.engine.device))
        return scorer.scores()

    def _label(self, scores: np.ndarray) -> tuple[str, ...]:
        positive = self.description.label(scores[None])[0]
        best_first = np.argsort(-scores)
        names = self.description.labels.class_names
        return tuple(names[index] for index in best_first if positive[index])


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
