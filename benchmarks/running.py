"""Runs one topic in a process of its own."""

import json
import multiprocessing
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.context import Context
from benchmarks.tables import Row, Table, to_json
from benchmarks.timing import in_one_line
from benchmarks.topics import TOPICS

_LONGEST = 600  # s; a topic that takes longer is ended


def run_apart(name: str, context: Context) -> list[dict[str, Any]]:
    """A process of its own keeps thread counts, memory and crashes to the topic."""
    answer = context.folder / f"{name}.json"
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_run_topic, args=(name, context, answer))
    process.start()
    process.join(_LONGEST)
    if process.is_alive():
        process.kill()
        process.join()
        return to_json([_failed(name, f"ended after {_LONGEST} s")])
    if not answer.is_file():
        return to_json([_failed(name, f"the process ended with code {process.exitcode}")])
    return list(json.loads(answer.read_text(encoding="utf-8")))


def _run_topic(name: str, context: Context, answer: Path) -> None:
    os.environ["LILLIPUT_CACHE"] = str(context.folder / "cache")  # none of an earlier run
    try:
        tables = import_module(f"benchmarks.topics.{name}").run(context)
    except Exception as error:  # one topic must not stop the others
        tables = [_failed(name, in_one_line(error))]
    answer.write_text(json.dumps(to_json(tables)), encoding="utf-8")


def _failed(name: str, reason: str) -> Table:
    row = Row(name, note=f"not measured: {reason}")
    return Table(TOPICS[name], "This topic could not be run.", "", (row,), baseline="-")
