"""A whole run in a process of its own: ``folder out backend``, over the videos in the folder."""

import os
import sys
from functools import partial
from pathlib import Path

from rich.console import Console
from stand_in import HEADER, StandIn

from lilliput.inference.archive.job import Backend, Job, run_to_file
from lilliput.inference.archive.workers import in_processes, in_this_process


def main(folder: Path, out: Path, backend: str) -> None:
    (folder / "driver").write_text(f"{os.getpid()}\n{out}.partial/journal")
    chosen: Backend = in_this_process
    if backend.isdecimal():
        chosen = partial(in_processes, num_workers=int(backend))
    elif backend != "here":
        from lilliput.inference.archive.cluster import on_ray

        chosen = partial(on_ray, address=backend, num_workers=2)
    videos = sorted(folder.glob("*.mp4"))
    try:
        run_to_file(Job(videos, StandIn(folder), HEADER, chosen), out, Console(stderr=True))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
