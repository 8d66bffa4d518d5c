"""An archive of clips, predicted by one process and by two."""

import shutil
from collections.abc import Callable

from benchmarks.clips import synthetic_clips
from benchmarks.commands import LILLIPUT, run_command
from benchmarks.context import Context
from benchmarks.networks import AD_R18, make_checkpoint
from benchmarks.tables import Table, make_rows
from benchmarks.timing import interleave
from lilliput.checkpoint import save_checkpoint


def run(context: Context) -> list[Table]:
    clips = synthetic_clips(context.folder, context.count(40, 8), 70)
    folder = context.folder / "archive"
    folder.mkdir(exist_ok=True)
    copies = context.count(4, 1)
    for number in range(copies):
        for path in clips.paths:
            shutil.copy(path, folder / f"{number}-{path.name}")
    model = context.folder / "archive.safetensors"
    save_checkpoint(make_checkpoint(AD_R18 | {"input_size": 28}), model)
    out = context.folder / "archive.jsonl"

    def predict(*options: str) -> Callable[[], object]:
        def run_once() -> None:
            out.unlink(missing_ok=True)
            run_command(
                [*LILLIPUT, "predict", str(model), str(folder), "--out", str(out), *options]
            )

        return run_once

    cases = {"one process": predict(), "2 workers": predict("--workers", "2")}
    results = interleave(cases, budget_seconds=context.seconds(40), min_rounds=2, max_rounds=4)
    return [
        Table(
            f"Archive of {copies * len(clips.paths)} clips",
            "`lilliput predict FOLDER --out FILE` with AD-R18 at 28 px, start included; the "
            "cores are shared out over the workers.",
            "s",
            make_rows(results, ours=set(cases)),
            baseline="one process",
        )
    ]
