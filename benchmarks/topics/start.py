"""From the shell's prompt to an answer."""

import shutil
import sys
from collections.abc import Callable

from benchmarks.clips import synthetic_clips
from benchmarks.commands import LILLIPUT, run_command
from benchmarks.context import Context
from benchmarks.networks import FPN_AD_R18, make_checkpoint
from benchmarks.tables import Claim, Table, make_rows
from benchmarks.timing import interleave
from lilliput.checkpoint import save_checkpoint

TORCH, HELP = "python -c 'import torch'", "lilliput --help"
FIRST, SECOND = "predict, openvino, first start", "predict, openvino, second start"


def run(context: Context) -> list[Table]:
    python = (sys.executable, "-c")
    cases: dict[str, Callable[[], object]] = {
        "python -c ''": lambda: run_command([*python, ""]),
        TORCH: lambda: run_command([*python, "import torch"]),
        "import lilliput": lambda: run_command([*python, "import lilliput"]),
        HELP: lambda: run_command([*LILLIPUT, "--help"]),
    }
    quick = interleave(cases, budget_seconds=context.seconds(15), max_rounds=10)
    slow = interleave(
        _predict_cases(context), budget_seconds=context.seconds(50), min_rounds=2, max_rounds=4
    )
    ours = {"import lilliput", HELP, *slow}
    return [
        Table(
            "Cold start",
            "Whole processes, files in the page cache. `predict` scores one synthetic clip of "
            "70 px with FPN AD-R18 at 112 px; the first start of OpenVINO converts and compiles "
            "the network, the second finds it in the cache.",
            "s",
            make_rows(quick | slow, ours=ours),
            baseline=TORCH,
            claims=(
                Claim("`lilliput --help` before torch is even imported", HELP, TORCH, low=1.0),
                Claim("A second start of OpenVINO is quicker", SECOND, FIRST, low=1.0),
            ),
        )
    ]


def _predict_cases(context: Context) -> dict[str, Callable[[], object]]:
    clip = synthetic_clips(context.folder, context.count(40, 8), 70).paths[0]
    model = context.folder / "fpn.safetensors"
    save_checkpoint(make_checkpoint(FPN_AD_R18), model)
    command = [*LILLIPUT, "predict", str(model), str(clip), "--json"]
    cold, warm = context.folder / "cache-cold", context.folder / "cache-warm"

    def first_start() -> None:
        shutil.rmtree(cold, ignore_errors=True)
        run_command([*command, "--engine", "openvino"], LILLIPUT_CACHE=str(cold))

    return {
        "predict, torch": lambda: run_command([*command, "--engine", "torch"]),
        FIRST: first_start,
        SECOND: lambda: run_command([*command, "--engine", "openvino"], LILLIPUT_CACHE=str(warm)),
    }
