"""What splits have in common: recordings, cameras, identical files."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lilliput.data.clips import Clip


@dataclass(frozen=True)
class Shared:
    """What two splits have in common, so that a score on one says little about new footage.

    Attributes:
        kind: ``recording``, ``camera`` or ``file`` (the same bytes).
        splits: The two splits.
        names: What they share; for files one path of each split.
        clips: Clips concerned in each split.
    """

    kind: str
    splits: tuple[str, str]
    names: tuple[str, ...]
    clips: tuple[int, int]


def find_shared(
    splits: Mapping[str, Sequence[Clip]], digests: Mapping[str, Sequence[str | None]]
) -> list[Shared]:
    """Recordings, cameras and identical files that occur in two splits.

    Args:
        splits: The clips of each split.
        digests: For each clip a digest of its file, or None where it has none.
    """
    found: list[Shared] = []
    for first, second in itertools.combinations(splits, 2):
        pair = (splits[first], splits[second])
        recordings = tuple([clip.recording for clip in clips] for clips in pair)
        # Where no camera is known the recording stands in for it: that is reported already.
        cameras = tuple(
            [clip.camera if clip.camera != clip.recording else None for clip in clips]
            for clips in pair
        )
        for kind, keys in (
            ("recording", recordings),
            ("camera", cameras),
            ("file", (digests[first], digests[second])),
        ):
            common = (set(keys[0]) & set(keys[1])) - {None}
            if not common:
                continue
            names = _same_files(common, pair, keys) if kind == "file" else sorted(map(str, common))
            counts = tuple(sum(key in common for key in side) for side in keys)
            found.append(Shared(kind, (first, second), tuple(names), (counts[0], counts[1])))
    return found


def _same_files(
    common: set[str | None],
    pair: tuple[Sequence[Clip], Sequence[Clip]],
    keys: tuple[Sequence[str | None], ...],
) -> list[str]:
    paths = [
        {digest: clip.path for clip, digest in zip(clips, digests, strict=True)}
        for clips, digests in zip(pair, keys, strict=True)
    ]
    return sorted(f"{paths[0][digest]} = {paths[1][digest]}" for digest in common)
