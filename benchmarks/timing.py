"""Times several ways of doing one thing in turn, so that a busy moment hits all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

Samples = tuple[float, ...]
_SHORTEST_SAMPLE = 0.02  # s; shorter cases are called several times in a row


def interleave(
    cases: Mapping[str, Callable[[], object]],
    *,
    budget_seconds: float,
    min_rounds: int = 3,
    max_rounds: int = 25,
) -> dict[str, Samples | str]:
    """Calls A B C, then C B A, and so on, until the time is used up.

    The first call of each case warms it up and is not counted. A case that fails is left out of
    the rest, and the others go on.

    Returns:
        For each case the seconds a call took, one per round; or in one line why it failed.
    """
    failed: dict[str, str] = {}
    repeats: dict[str, int] = {}
    for name, case in cases.items():
        try:
            seconds = _seconds(case, 1)
            if seconds < 1:
                seconds = _seconds(case, 1)  # the first call may have loaded or compiled things
            repeats[name] = max(1, round(_SHORTEST_SAMPLE / max(seconds, 1e-7)))
        except Exception as error:  # whatever a peer raises becomes a row
            failed[name] = in_one_line(error)
    rounds: dict[str, list[float]] = {name: [] for name in repeats}
    end = time.perf_counter() + budget_seconds
    for number in range(max_rounds if repeats else 0):
        if number >= min_rounds and time.perf_counter() > end:
            break
        gc.collect()
        for name in list(repeats)[:: 1 if number % 2 == 0 else -1]:
            rounds[name].append(_seconds(cases[name], repeats[name]))
    return {name: failed[name] if name in failed else tuple(rounds[name]) for name in cases}


def speed(samples: Sequence[float], baseline: Sequence[float]) -> float:
    """How many times as fast as the baseline: the median of the rounds' ratios.

    Samples taken in the same rounds are paired; else the medians are compared.
    """
    if len(samples) != len(baseline):
        return statistics.median(baseline) / statistics.median(samples)
    return statistics.median(b / a for a, b in zip(samples, baseline, strict=True))


def in_one_line(error: BaseException) -> str:
    """The error as the note of a row."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:160].rstrip(": ")


def _seconds(case: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        case()
    return (time.perf_counter() - start) / repeats
