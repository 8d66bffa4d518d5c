"""The same rows from a Ray cluster of this machine, whatever dies."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lilliput.errors import ConfigError
from lilliput.inference.archive.cluster import on_ray
from lilliput.inference.archive.records import DIED

pytest.importorskip("ray")
HERE = Path(__file__).parent
_CLUSTER = """
import sys, ray
context = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
print(context.address_info["gcs_address"])
sys.stdout.flush()
sys.stdin.read()  # until whoever started this is gone
"""
_ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(HERE),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),  # of this cluster alone
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two CPUs, which ends with its process."""
    with subprocess.Popen(
        [sys.executable, "-c", _CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_ENVIRONMENT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.stdin.close()


def _run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
        env=_ENVIRONMENT,
    )


def _make(folder: Path, words: dict[str, str]) -> Path:
    folder.mkdir()
    for number in range(24):
        name = f"{number:02}"
        (folder / f"{name}.mp4").write_text(words.get(name, "good"))
    return folder


def test_predict_gives_the_same_rows(
    address: str, micro_file: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    name = os.fsdecode(b"bad\xe9.mp4") if sys.platform == "linux" else "bad.mp4"  # no text
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / name).write_text("no video")
    lilliput = "from lilliput.cli.main import main; main()"
    outputs = []
    for options in ((), ("--ray", address)):
        videos = (tiny_folder, tmp_path / "more", tiny_folder / "test")
        common = ("--json", "--engine", "torch", "--precision", "fp32")
        result = _run("-c", lilliput, "predict", micro_file, *videos, *common, *options)
        assert result.returncode == 2, result.stderr
        assert "1 of the videos could not be read" in result.stderr
        assert "Traceback" not in result.stderr
        outputs.append(result.stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) == 17


def test_deaths_of_workers_and_of_the_run_lose_nothing(address: str, tmp_path: Path) -> None:
    words = {"03": "die once", "05": "die", "08": "odd", "13": "SIGKILL", "20": "die once"}
    folder = _make(tmp_path / "videos", words)
    out = tmp_path / "out.jsonl"
    stopped = _run(HERE / "run_stand_in.py", folder, out, address)
    assert stopped.returncode == -signal.SIGKILL, stopped.stderr
    assert not out.exists()
    journal = out.with_name("out.jsonl.partial") / "journal"
    kept = [Path(json.loads(line.split("\t")[0])[0]).name for line in _lines(journal)[1:]]
    assert kept
    before = _count(folder)
    resumed = _run(HERE / "run_stand_in.py", folder, out, address)
    assert resumed.returncode == 0, resumed.stderr
    assert f"going on: {len(kept)} of 24 were done before" in resumed.stderr

    rows = [json.loads(line) for line in _lines(out)]
    assert [Path(row["source"]).stem for row in rows] == [f"{n:02}" for n in range(24)]
    errors = {Path(row["source"]).stem: row["error"] for row in rows if "error" in row}
    assert errors == {
        "05": f"{folder / '05.mp4'}: {DIED}",
        "08": f"{folder / '08.mp4'}: ValueError: an odd file",
    }
    again = _count(folder) - before
    assert not set(again) & set(kept)
    assert set(again) <= {f"{n:02}.mp4" for n in range(24)} - set(kept)
    for row in rows:
        if "error" not in row:
            assert row["scores"]["run"] == round(len(row["source"]) / 1000, 4)


def test_a_wrong_setting_stops_the_run(address: str, tmp_path: Path) -> None:
    folder = _make(tmp_path / "videos", {"07": "setting"})
    result = _run(HERE / "run_stand_in.py", folder, tmp_path / "out.jsonl", address)
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].endswith("a setting is wrong")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("somewhere", "--ray somewhere: give auto, local, host:port or ray://host:port"),
        ("127.0.0.1:1", "--ray 127.0.0.1:1: nobody answers there"),
        ("ray://127.0.0.1:1", "--ray ray://127.0.0.1:1: nobody answers there"),
    ],
)
def test_no_cluster(address: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        next(on_ray(object, [], address=address))  # type: ignore[arg-type]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def _count(folder: Path) -> Counter[str]:
    return Counter(_lines(folder / "log"))
