"""Tasks spread over processes."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Result = TypeVar("Result")


def run_tasks(tasks: Sequence[Callable[[], Result]], workers: int) -> Iterator[Result]:
    """Runs picklable calls; yields each result as soon as it is there.

    One worker is this process. What is still waiting is dropped where the caller stops.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        yield from (task() for task in tasks)
        return
    # Spawned, because forking a process that runs threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context)
    try:
        for future in as_completed([pool.submit(task) for task in tasks]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
