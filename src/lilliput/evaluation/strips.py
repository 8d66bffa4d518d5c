"""Film strips of the clips that a model scored worst, class by class.

The page of a report holds all of them, so their size is bounded: at most 26 classes with 6 strips
of 20 KB each, which is 4.2 MB as text in the page.
"""

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lilliput.data import Clip
from lilliput.errors import VideoError
from lilliput.evaluation.scored import ScoredClips
from lilliput.scoring import count

STRIPS = 3  # of each kind and class
CLASSES = 26  # those of the lowest F1, where there are more
_FRAMES = 6
_HEIGHT = 72  # px, about
_WIDTH = 128  # px, about, at most
_WHOLE = 1.75  # from here on frames grow by a whole factor, so that all their pixels are alike
_GAP = 3  # px
_BYTES = 20_000


@dataclass(frozen=True)
class Picture:
    """Frames of a clip.

    Attributes:
        uri: The frames side by side, as a data URI.
        num_frames: How many the clip has.
        size: Width and height of its frames, px.
    """

    uri: str
    num_frames: int
    size: tuple[int, int]


@dataclass(frozen=True)
class Strip:
    """One clip seen as an example of one class.

    Attributes:
        clip_id: The clip.
        picture: Some of its frames.
        score: Of the class.
        threshold: Of the class.
        true: Names of the clip's labels.
        given: Names of the labels that the model gives.
    """

    clip_id: str
    picture: Picture
    score: float
    threshold: float
    true: tuple[str, ...]
    given: tuple[str, ...]


@dataclass(frozen=True)
class ClassStrips:
    """The clips to look at for one class.

    Attributes:
        name: The class.
        lowest: Clips of the class that it scores lowest.
        wrong: Clips that are given the class and do not have it, of the highest scores.
    """

    name: str
    lowest: tuple[Strip, ...]
    wrong: tuple[Strip, ...]


@dataclass(frozen=True)
class FilmStrips:
    """The clips to look at.

    Attributes:
        classes: In the order of the labels.
        left_out: Classes that have none because there are too many.
        unreadable: One line per clip whose frames could not be read.
    """

    classes: tuple[ClassStrips, ...]
    left_out: int
    unreadable: tuple[str, ...]


def film_strips(
    clips: Sequence[Clip], scored: ScoredClips, thresholds: Sequence[float] | np.ndarray
) -> FilmStrips:
    """Reads and draws the clips that were scored worst.

    Args:
        clips: The split that was scored; matched by clip id.
        scored: Scores of labelled clips.
        thresholds: (K,), one for all classes, or (N, K), one per clip and class.
    """
    limits = np.broadcast_to(thresholds, scored.scores.shape)
    chosen = choose_rows(scored, limits)
    rows = sorted({row for kinds in chosen.values() for kind in kinds for row in kind})
    by_id = {clip.clip_id: clip for clip in clips}
    with ThreadPoolExecutor() as pool:  # decoding leaves Python's lock to others
        drawn = pool.map(_draw, [by_id[str(scored.clip_ids[row])] for row in rows])
    pictures = dict(zip(rows, drawn, strict=True))
    labels = scored.label(limits)

    def describe(row: int, index: int) -> Strip | None:
        picture = pictures[row]
        if isinstance(picture, VideoError):
            return None
        return Strip(
            str(scored.clip_ids[row]),
            picture,
            float(scored.scores[row, index]),
            float(limits[row, index]),
            tuple(scored.class_names[scored.targets[row]].tolist()),
            tuple(scored.class_names[labels[row]].tolist()),
        )

    classes = tuple(
        ClassStrips(
            str(scored.class_names[index]),
            *(tuple(filter(None, (describe(row, index) for row in kind))) for kind in kinds),
        )
        for index, kinds in chosen.items()
    )
    return FilmStrips(
        tuple(one for one in classes if one.lowest or one.wrong),
        len(scored.class_names) - len(chosen),
        tuple(str(one) for one in pictures.values() if isinstance(one, VideoError)),
    )


def choose_rows(
    scored: ScoredClips, thresholds: np.ndarray
) -> dict[int, tuple[list[int], list[int]]]:
    """By class, the rows of its lowest-scored clips and of those most confidently given it.

    Clips without scores, which could not be read, are not chosen.
    """
    labels = scored.label(thresholds)
    readable = scored.scores.any(axis=1)
    f1 = count(labels, scored.targets, axis=0).f1
    worst = np.sort(np.argsort(f1, kind="stable")[:CLASSES])
    chosen = {}
    for index in worst.tolist():
        scores, targets = scored.scores[:, index], scored.targets[:, index]
        own = np.flatnonzero(targets & readable)
        wrong = np.flatnonzero(labels[:, index] & ~targets)
        chosen[index] = (
            own[np.argsort(scores[own], kind="stable")][:STRIPS].tolist(),
            wrong[np.argsort(-scores[wrong], kind="stable")][:STRIPS].tolist(),
        )
    return chosen


def _draw(clip: Clip) -> Picture | VideoError:
    """A strip of the clip, or why there is none."""
    try:
        frames = clip.read()
        picks = np.linspace(0, len(frames) - 1, _FRAMES).round().astype(np.int64)
        picked = frames[np.unique(picks)].permute(0, 2, 3, 1).numpy()
    except VideoError as error:
        return error
    height, width = picked.shape[1:3]
    return Picture(_data_uri(join_frames(picked)), len(frames), (width, height))


def join_frames(frames: np.ndarray) -> Image.Image:
    """Frames side by side, small ones enlarged by a whole factor, large ones reduced.

    Args:
        frames: (T, H, W, 3) uint8.
    """
    height, width = frames.shape[1:3]
    factor = min(_HEIGHT / height, _WIDTH / width)
    if factor >= _WHOLE:
        factor = round(factor)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    how = Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX
    strip = Image.new("RGB", (len(frames) * (size[0] + _GAP) - _GAP, size[1]), "white")
    for position, frame in enumerate(frames):
        picture = Image.fromarray(frame).resize(size, how)
        strip.paste(picture, (position * (size[0] + _GAP), 0))
    return strip


def _data_uri(strip: Image.Image) -> str:
    """As PNG where that is small enough, as it is of few pixels; else as ever coarser JPEG."""
    ways: list[tuple[str, dict[str, int]]] = [("png", {"compress_level": 9})]
    ways += [("jpeg", {"quality": quality}) for quality in (85, 60, 30, 10)]
    for kind, options in ways:
        file = io.BytesIO()
        strip.save(file, kind, **options)
        if file.tell() <= _BYTES:
            break
    return f"data:image/{kind};base64," + base64.b64encode(file.getvalue()).decode()
