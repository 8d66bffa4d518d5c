"""Clips of people and of puppets a second, on one core, without encoding."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from unittest.mock import patch

import numpy as np

from benchmarks.context import Context
from benchmarks.tables import Claim, Row, Table
from benchmarks.timing import interleave
from lilliput.data.people import render
from lilliput.data.people.captured import Captured
from lilliput.data.synthetic.plan import plan_dataset
from lilliput.data.synthetic.render import render_clip

SIZES = (16, 32, 64, 128)
_CLIPS = 20  # a sample: clips differ in what they show
_LEAST = 100.0  # a second, at 32 px


def run(context: Context) -> list[Table]:
    cases: dict[str, Callable[[], object]] = {f"people, {size} px": _people(size) for size in SIZES}
    cases |= {f"puppets, {size} px": _puppets(size) for size in SIZES}
    results = interleave(cases, budget_seconds=context.seconds(60), max_rounds=15)
    rows = tuple(
        Row(name, note=found)
        if isinstance(found, str)
        else Row(name, tuple(_CLIPS / seconds for seconds in found), ours=name.startswith("people"))
        for name, found in results.items()
    )
    claim = Claim("People of 32 px, at least 100 clips a second", f"people, {SIZES[1]} px",
                  low=_LEAST, absolute=True)  # fmt: skip
    text = (
        "One process, one core; people have 14 to 24 frames, all keyed; puppets as many as planned."
    )
    return [
        Table("Rendering", text, "clips/s", rows, baseline="-", higher_is_better=True,
              claims=(claim,))
    ]  # fmt: skip


def _people(size: int) -> Callable[[], object]:
    nobody, seeds = Captured(()), count()

    def case() -> None:
        with patch.object(render, "_draw_size", lambda _: size):
            for _ in range(_CLIPS):
                render.render_clip(np.random.default_rng([size, next(seeds)]), nobody)

    return case


def _puppets(size: int) -> Callable[[], object]:
    plans = plan_dataset({"train": 400, "val": 0, "test": 0}, seed=1)["train"]
    numbers = count()

    def case() -> None:
        for _ in range(_CLIPS):
            render_clip(replace(plans[next(numbers) % len(plans)], size=size))

    return case
