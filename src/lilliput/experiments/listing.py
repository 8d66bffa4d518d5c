"""What ``lilliput reproduce list`` prints: the tables, what is done, and what the rest costs."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.data.published import CLIPS_PER_SPLIT
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES
from lilliput.experiments.cost import clip_flops, clip_passes, gpu_rate, measure_rate
from lilliput.experiments.reproduce import Plan, Settings, choose_split, plan_runs
from lilliput.experiments.rows import Table
from lilliput.experiments.scales import SMOKE_CLIPS_PER_CLASS, Scale, scale_dataset

_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


class Estimate:
    """Seconds of trainings, here and on a GPU.

    Args:
        dataset: The clips; None: as many as TinyVIRAT-v2 has.
        scale: Of the experiments.
        gpu: A name in ``cost.GPUS``.
    """

    def __init__(self, dataset: VideoDataset | None, scale: Scale, gpu: str) -> None:
        self.num_classes = len(TINYVIRAT_CLASSES if dataset is None else dataset.labels)
        self._clips = None if dataset is None else scale_dataset(dataset, scale)
        self._smoke = scale is Scale.SMOKE
        self._gpu = gpu_rate(gpu)
        self._measured: dict[tuple[int, int], float] = {}
        self._counted: dict[tuple[str, int], float] = {}

    def seconds(self, config: Config) -> tuple[float, float]:
        """Of one training: on this machine, and on the GPU."""
        sizes = (self._size(config.data.train), self._size(config.data.val))
        flops = self._clip_flops(config) * clip_passes(config, *sizes)
        key = (config.model.width, config.model.input_size)
        if key not in self._measured:
            self._measured[key] = measure_rate(config)
        return flops / self._measured[key], flops / self._gpu

    def _clip_flops(self, config: Config) -> float:
        """Counted once for rows of the same network."""
        key = (config.model.model_dump_json(), config.sampling.num_frames)
        if key not in self._counted:
            self._counted[key] = clip_flops(config, self.num_classes)
        return self._counted[key]

    def _size(self, split: str) -> int:
        if self._clips is not None:
            return len(self._clips.split(split))
        if self._smoke:
            return SMOKE_CLIPS_PER_CLASS * self.num_classes
        return CLIPS_PER_SPLIT["TinyVIRAT-v2"][split]


def print_list(
    tables: Sequence[Table],
    dataset: VideoDataset | None,
    out: Path,
    settings: Settings,
    gpu: str,
    console: Console,
) -> None:
    """Every row, whether it is done, and what its training costs where it is the first with it.

    Args:
        tables: Which tables.
        dataset: The clips; None: as many as TinyVIRAT-v2 has.
        out: Where ``reproduce`` keeps its work.
        settings: As ``reproduce`` would be called.
        gpu: A name in ``cost.GPUS``.
        console: Where to print.

    Raises:
        ConfigError: The GPU is not known.
    """
    split = "test" if dataset is None else choose_split(dataset, settings)
    plan = plan_runs(tables, settings, split, out)
    estimate = Estimate(dataset, settings.scale, gpu)
    seen: set[Path] = set()
    left = [0.0, 0.0]
    listing = RichTable("row", "done")
    for head in ("this machine", gpu):
        listing.add_column(head, justify="right")
    with console.status("measuring what each training costs"):
        for table in tables:
            listing.add_row(Text(f"{table.name}  {table.title}", style="bold"))
            for row in table.rows:
                costs = _costs(row.recipe, plan, estimate, seen, left)
                done = sum(run.done for run in plan[row.recipe])
                state = f"{done} of {len(settings.seeds)}"
                listing.add_row(*map(Text, (f"  {row.name}", state, *costs)))
            listing.add_section()
    console.print(listing)
    here, there = map(duration_in_words, left)
    clips = "TinyVIRAT-v2" if dataset is None else str(dataset.root)
    console.print(
        f"{len(seen)} trainings at scale {settings.scale.value} on {clips}; left: {here} on this "
        f"machine, {there} on one {gpu} in half precision. Estimated from the network's arithmetic "
        "alone; reading and augmenting clips comes on top. GPUs reach less with narrow networks.",
        markup=False,
        highlight=False,
    )


def duration_in_words(seconds: float) -> str:
    """Such as ``3.4 h``."""
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def _costs(
    recipe: str, plan: Plan, estimate: Estimate, seen: set[Path], left: list[float]
) -> tuple[str, str]:
    """The cells of one row; adds its trainings to those seen, and their time to what is left."""
    new = [run for run in plan[recipe] if run.training not in seen]
    if not new:
        return "shared", ""
    seen.update(run.training for run in new)
    costs = estimate.seconds(new[0].config)
    missing = sum(not run.trained for run in new)
    for index, cost in enumerate(costs):
        left[index] += missing * cost
    here, there = (duration_in_words(len(new) * cost) for cost in costs)
    return here, there
