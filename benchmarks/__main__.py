"""``python -m benchmarks``: runs the topics, each in a process of its own, and reports."""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.context import Context
from benchmarks.machine import describe_machine, read_commit
from benchmarks.plots import draw_growth
from benchmarks.report import render_report
from benchmarks.running import run_apart
from benchmarks.tables import from_json
from benchmarks.topics import TOPICS

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what was asked for; every finished topic is saved at once."""
    options = _parse(arguments)
    output: Path = options.output or (Path("build/benchmarks") if options.quick else HERE)
    output.mkdir(parents=True, exist_ok=True)
    results = _open_results(output / "results.json", options.quick)
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    try:
        for name in options.only or TOPICS:
            if options.resume and results["topics"].get(name, {}).get("commit") == read_commit():
                continue
            print(f"{name} ...", end=" ", flush=True)
            context = Context(
                folder, options.quick, options.data, options.footage, _limits(results)
            )
            start = time.perf_counter()
            tables = run_apart(name, context)
            seconds = time.perf_counter() - start
            print(f"{seconds:.0f} s", flush=True)
            results["topics"][name] = {
                "commit": read_commit(),
                "seconds": round(seconds),
                "tables": tables,
            }
            _save(output, results)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"written: {output / 'results.md'}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=TOPICS, help="these topics; keep the others")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time; rough figures")
    parser.add_argument("--data", type=Path, help="a TinyVIRAT-v2 folder to measure on as well")
    parser.add_argument("--footage", type=Path, help="a recording to watch, not a rendered one")
    parser.add_argument("--output", type=Path, help="folder of results.md (default: benchmarks)")
    parser.add_argument("--resume", action="store_true", help="keep topics of this very commit")
    return parser.parse_args(arguments)


def _open_results(path: Path, quick: bool) -> dict[str, Any]:
    """Earlier results of the same machine, which this run goes on with, or none."""
    results = {"machine": describe_machine(), "quick": quick, "topics": {}}
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["machine"] == results["machine"] and found["quick"] == quick:
            return dict(found)
        print(f"{path.name}: of another machine or other packages; starting anew")
    return results


def _limits(results: dict[str, Any]) -> dict[str, float]:
    """The highest rates that were seen, in operations or bytes per second."""
    tables = from_json(results["topics"].get("limits", {}).get("tables", []))
    rows = [row for table in tables for row in table.rows if row.samples]
    return {row.name: 1e9 * max(row.samples) for row in rows}


def _save(output: Path, results: dict[str, Any]) -> None:
    figure = None
    if growth := results["topics"].get("growth"):
        figure = draw_growth(from_json(growth["tables"]), output / "growth.svg")
    (output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (output / "results.md").write_text(render_report(results, figure), encoding="utf-8")


if __name__ == "__main__":
    main()
