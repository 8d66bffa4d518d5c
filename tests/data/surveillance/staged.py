"""Small sets in the formats of VIRAT and MEVA."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

MEVA = "2018-03-11.11-15-00.11-20-00.school.G299"
VIRAT = "VIRAT_S_000102"

Box = tuple[int, int, int, int]


def numbered(count: int, height: int = 80, width: int = 100) -> np.ndarray:
    """Grey frames: the level says which frame it is, and which column."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames += np.arange(count, dtype=np.uint8)[:, None, None, None]
    frames += (np.arange(width) // 2).astype(np.uint8)[None, None, :, None]
    return frames


def write_kpf(
    folder: Path,
    name: str,
    activities: Sequence[tuple[str, tuple[int, int], Sequence[int]]],
    geometry: Mapping[int, Mapping[int, Box]],
    *,
    dot: str = ".",
) -> Path:
    """Activities as name, first and last frame, actors; boxes by actor and frame."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f'- {{ meta: "{name}" }}']
    for number, (activity, (start, end), actors) in enumerate(activities):
        span = f"timespan: [{{tsr0: [{start}, {end}]}}]"
        who = ", ".join(f"{{id1: {actor}, {span}}}" for actor in actors)
        lines.append(
            f"- {{ act: {{ act2: {{{activity}: 1.0}}, id2: {number}, {span}, "
            f"src_status: truth, actors: [{who}] }} }}"
        )
    path = folder / f"{name}{dot}activities.yml"
    path.write_text("\n".join(lines) + "\n")
    lines = [f'- {{ meta: "{name}" }}']
    lines += [
        f"- {{ geom: {{ id1: {actor}, id0: 1, ts0: {frame}, keyframe: true, "
        f"g0: {' '.join(map(str, box))} }} }}"
        for actor, boxes in geometry.items()
        for frame, box in boxes.items()
    ]
    (folder / f"{name}{dot}geom.yml").write_text("\n".join(lines) + "\n")
    (folder / f"{name}{dot}types.yml").write_text("- { types: { id1: 1, cset3: {Person: 1.0} } }\n")
    return path


def write_virat(
    folder: Path,
    name: str,
    events: Sequence[tuple[int, int, int, int, Box]],
    *,
    objects: Mapping[int, Box] | None = None,
    mapping: Mapping[tuple[int, int], Sequence[int]] | None = None,
) -> Path:
    """Events as id, type, first and last frame, and a box (left, top, width, height)."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (number, kind, last - first + 1, first, last, frame, *box)
        for number, kind, first, last, box in events
        for frame in range(first, last + 1)
    ]
    path = folder / f"{name}.viratdata.events.txt"
    _write(path, rows)
    if objects is not None and mapping is not None:
        spans = {(number, kind): (first, last) for number, kind, first, last, _ in events}
        tracks = [(o, 300, f, *box, 2) for o, box in objects.items() for f in range(300)]
        _write(folder / f"{name}.viratdata.objects.txt", tracks)
        rows = [
            (*event, last - first + 1, first, last, len(objects), *takes_part)
            for event, takes_part in mapping.items()
            for first, last in (spans[event],)
        ]
        _write(folder / f"{name}.viratdata.mapping.txt", rows)
    return path


def _write(path: Path, rows: Sequence[Sequence[int]]) -> None:
    path.write_text("".join(" ".join(map(str, row)) + " \n" for row in rows))
