"""Running a job on a Ray cluster through Ray Data.

Blocks of a few files go to a pool of actors, each of which loads the model once. Ray starts a
worker that died again, and runs its block again, as often as it takes; so that this ends where it
is a file that kills, a ledger counts which files were being read by workers that died.
"""

import importlib
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from lilliput.errors import ConfigError, LilliputError, VideoError
from lilliput.inference.archive.journal import Task
from lilliput.inference.archive.records import DIED, Predictor, recognise, write_record

_MOST_FILES = 16  # of a block: what a death costs, against some ms that Ray takes for a block
_MOST_DEATHS = 2  # of workers that read the same file; it is not read again
_BLOCKS_PER_WORKER = 4  # at least, so that all end at about the same time


def on_ray(
    load: Callable[[], Predictor],
    tasks: Iterable[Task],
    *,
    address: str,
    num_workers: int | None = None,
) -> Iterator[tuple[Task, str]]:
    """Predicts files on a Ray cluster, whose machines see them under the same paths.

    Args:
        load: Makes a worker's predictor; it travels through Ray's object store.
        tasks: What is to be done; iterating again yields what is not done yet.
        address: ``auto``, ``host:port``, ``ray://host:port``, or ``local`` for a cluster of this
            machine alone that ends with the job.
        num_workers: Actors, of one CPU each; None takes all CPUs of the cluster.

    Yields:
        Each task with its record, in the order in which they are finished.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster at the address.
    """
    ray = _connect(address, num_workers)
    try:
        size = num_workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        tables: Iterable[Any] = _plan(load, list(tasks), size).iter_batches(
            batch_size=None, batch_format="pyarrow"
        )
        for table in tables:
            for row in table.to_pylist():
                record, wrong = row.pop("record"), row.pop("wrong")
                if wrong:
                    raise LilliputError(f"--ray {address}: {wrong}")
                yield Task(path=os.fsdecode(row.pop("path")), **row), record
    except ray.exceptions.RayError as error:
        reason = " ".join(str(error).split())
        raise LilliputError(f"--ray {address}: the workers failed ({reason})") from None
    finally:
        ray.shutdown()


def _connect(address: str, num_workers: int | None) -> Any:
    _check_reachable(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # Ray prints past Python's logging
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.data")
    except ImportError:
        raise ConfigError("--ray needs the package ray: pip install 'lilliput[ray]'") from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    own: dict[str, object] = {"num_cpus": num_workers, "include_dashboard": False}
    try:
        ray.init(
            address,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            **(own if address == "local" else {}),
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(
            f"--ray {address}: cannot join a cluster there ({reason}); is it up, of the same "
            "version of Ray, and RAY_AUTH_TOKEN its token?"
        ) from None
    return ray


def _check_reachable(address: str) -> None:
    """Ray itself takes minutes to find that nobody answers."""
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if address in ("auto", "local"):
        return
    if not (separator and port.isdecimal()):
        raise ConfigError(f"--ray {address}: give auto, local, host:port or ray://host:port")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"--ray {address}: nobody answers there ({error})") from None


def _plan(load: Callable[[], Predictor], tasks: list[Task], num_workers: int) -> Any:
    """The Ray data set whose rows are the tasks with their records."""
    import pyarrow as pa
    import ray
    from ray.data import ActorPoolStrategy, DataContext, from_arrow

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    size = max(1, min(_MOST_FILES, len(tasks) // (_BLOCKS_PER_WORKER * num_workers)))
    rows = iter(tasks)
    blocks = []
    while block := list(islice(rows, size)):
        columns = dict(zip(Task._fields, zip(*block, strict=True), strict=True))
        columns["path"] = tuple(map(os.fsencode, columns["path"]))  # a name may be no text
        blocks.append(pa.table(columns))
    ledger = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_Ledger).remote()
    return from_arrow(blocks).map_batches(
        _Worker,
        fn_constructor_args=(ray.put(load), ledger),
        batch_size=None,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(size=num_workers),
        num_cpus=1,
    )


class _Worker:
    """An actor: loads the model, then reads blocks of files."""

    def __init__(self, shipped: Any, ledger: Any) -> None:
        import ray

        self._ledger = ledger
        self._wrong = ""  # with the settings: told in a column, for Ray buries what is raised
        try:
            self._predictor: Predictor = ray.get(shipped)()
        except LilliputError as error:
            self._wrong = str(error)

    def __call__(self, block: Any) -> Any:
        import pyarrow as pa
        import ray

        first = block["position"][0].as_py()  # names the block
        ray.get(self._ledger.restart.remote(first))
        records = [self._read(first, name) for name in block["path"].to_pylist()]
        ray.get(self._ledger.end.remote(first))
        block = block.append_column("record", pa.array(records, pa.large_string()))
        return block.append_column("wrong", pa.array([self._wrong] * len(records), pa.string()))

    def _read(self, block: int, name: bytes) -> str:
        import ray

        if self._wrong:
            return ""
        path = os.fsdecode(name)
        if ray.get(self._ledger.begin.remote(block, name)) >= _MOST_DEATHS:
            return write_record(VideoError(f"{path}: {DIED}"))
        try:
            return recognise(self._predictor, path)
        except LilliputError as error:
            self._wrong = str(error)
            return ""


class _Ledger:
    """An actor that outlives the workers: which file each block is at, and what died of which."""

    def __init__(self) -> None:
        self._reading: dict[int, bytes] = {}
        self._deaths: Counter[bytes] = Counter()

    def begin(self, block: int, name: bytes) -> int:
        """Notes that a block comes to a file, and returns how many workers died reading it."""
        self._reading[block] = name
        return self._deaths[name]

    def restart(self, block: int) -> None:
        """Notes that a block begins; if it had begun before, its worker died."""
        if block in self._reading:
            self._deaths[self._reading.pop(block)] += 1

    def end(self, block: int) -> None:
        """Notes that a block is done."""
        self._reading.pop(block, None)
