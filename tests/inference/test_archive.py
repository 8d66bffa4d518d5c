import csv
import gc
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from io import StringIO
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lilliput.errors import ConfigError, LilliputError
from lilliput.inference.archive.job import Backend, Job, run_to_file, run_to_stream
from lilliput.inference.archive.journal import Journal
from lilliput.inference.archive.loader import ModelLoader, ShippedLoader
from lilliput.inference.archive.records import DIED
from lilliput.inference.archive.workers import in_processes, in_this_process
from lilliput.inference.listing import find_videos
from lilliput.inference.writers import Header

HERE = Path(__file__).parent
TWO: Backend = partial(in_processes, num_workers=2)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The stand-in by a name under which other processes find it, too."""
    monkeypatch.syspath_prepend(HERE)
    return __import__("stand_in")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve "videos" that can be read."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.mp4").write_text("good")
    return folder


def _job(stand_in: ModuleType, folder: Path, backend: Backend) -> Job:
    load = stand_in.StandIn(folder)
    return Job(sorted(folder.glob("*.mp4")), load, stand_in.HEADER, backend)


def _silent() -> Console:
    return Console(file=StringIO(), width=200)


def _rows(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def _count_reads(folder: Path) -> Counter[str]:
    return Counter((folder / "log").read_text().split())


def _run(folder: Path, out: Path, backend: str) -> "subprocess.CompletedProcess[str]":
    """Returns once the run and all its workers are gone, for they hold its stderr."""
    return subprocess.run(
        [sys.executable, HERE / "run_stand_in.py", folder, out, backend],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_rows_do_not_depend_on_the_number_of_workers(
    micro_file: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()
    again = tiny_folder / "test" / "00000.mp4"
    videos = find_videos([tiny_folder, tmp_path / "bad.mp4", again, again, tmp_path / "empty"])
    load = ModelLoader(str(micro_file), engine="torch", num_threads=1)
    recognizer = load()
    model = recognizer.description
    header = Header(model.labels.class_names, model.thresholds, load.identify(recognizer))
    outputs = []
    for backend, loader in (
        (in_this_process, lambda: recognizer),
        (partial(in_processes, num_workers=1), load),
        (TWO, ShippedLoader.pack(load)),
    ):
        stream = StringIO()
        job = Job(videos, loader, header, backend)
        assert run_to_stream(job, "json", stream, _silent()) == 2
        outputs.append(stream.getvalue())
    assert outputs[0] == outputs[1] == outputs[2]
    rows = [json.loads(line) for line in outputs[0].splitlines()]
    assert [row["source"] for row in rows] == [str(video) for video in videos]
    for row in rows[:-4]:
        expected = recognizer.predict(row["source"]).to_dict()
        assert row == json.loads(json.dumps(expected))
    assert rows[-3] == rows[-2]


def test_a_death_loses_nothing(stand_in: ModuleType, folder: Path, tmp_path: Path) -> None:
    words = {"03": "die once", "05": "die", "07": "unreadable", "08": "odd", "11": "die once"}
    for name, word in words.items():
        (folder / f"{name}.mp4").write_text(word)
    out = tmp_path / "out.jsonl"
    messages = Console(file=StringIO(), width=200)
    assert run_to_file(_job(stand_in, folder, TWO), out, messages) == 3
    rows = _rows(out)
    assert [Path(str(row["source"])).stem for row in rows] == [f"{n:02}" for n in range(12)]
    errors = {Path(str(row["source"])).stem: row["error"] for row in rows if "error" in row}
    assert errors == {
        "05": f"{folder / '05.mp4'}: {DIED}",
        "07": f"{folder / '07.mp4'}: unreadable",
        "08": f"{folder / '08.mp4'}: ValueError: an odd file",
    }
    twice = {"03.mp4", "05.mp4", "11.mp4"}
    assert _count_reads(folder) == {
        f"{n:02}.mp4": 2 if f"{n:02}.mp4" in twice else 1 for n in range(12)
    }
    text = messages.file.getvalue()  # type: ignore[attr-defined]
    assert [line.split(": ")[2] for line in text.splitlines() if line.startswith("skipped")] == [
        DIED, "unreadable", "ValueError",
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "videos"]


def test_no_process_reads_none(stand_in: ModuleType, tmp_path: Path) -> None:
    job = _job(stand_in, tmp_path, TWO)
    assert run_to_file(job, tmp_path / "out.csv", _silent()) == 0
    assert (tmp_path / "out.csv").read_text() == "source,labels,run,sit,warning,error\n"


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("word", ["good", "unreadable"])
def test_a_name_that_is_no_text(
    stand_in: ModuleType, tmp_path: Path, suffix: str, word: str
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.mp4")).write_text(word)
    job = _job(stand_in, folder, in_this_process)
    out = tmp_path / f"out.{suffix}"
    assert run_to_file(job, out, _silent()) == (word == "unreadable")
    if suffix == "jsonl":
        (row,) = _rows(out)
        assert row["source"] == str(job.videos[0])  # JSON has escapes for it
        return
    if suffix == "csv":
        (row,) = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    else:
        (row,) = pq.read_table(out).to_pylist()
    assert row["source"] == str(folder / r"caf\udce9.mp4")
    if word == "unreadable":
        assert row["error"] == f"{folder}/caf\\udce9.mp4: unreadable"


def test_a_file_given_up_is_no_parquet(stand_in: ModuleType, folder: Path, tmp_path: Path) -> None:
    (folder / "05.mp4").write_text("setting")
    with pytest.raises(ConfigError):
        run_to_file(_job(stand_in, folder, in_this_process), tmp_path / "a.parquet", _silent())
    gc.collect()  # pytest fails where what is collected complains
    rows = tmp_path / "a.parquet.partial" / "rows"
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(rows)


@pytest.mark.parametrize("backend", [in_this_process, TWO], ids=["here", "2"])
def test_a_wrong_setting_stops_the_run(
    stand_in: ModuleType, folder: Path, tmp_path: Path, backend: Backend
) -> None:
    (folder / "05.mp4").write_text("setting")
    with pytest.raises(ConfigError, match="a setting is wrong"):
        run_to_file(_job(stand_in, folder, backend), tmp_path / "out.csv", _silent())
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (partial(os._exit, 9), "3 workers died while loading the model"),
        (partial(int, "x"), "a worker failed: ValueError: invalid literal"),
    ],
)
def test_workers_that_cannot_start(folder: Path, load: partial[object], message: str) -> None:
    job = Job(sorted(folder.glob("*.mp4")), load, Header(("run",), (0.5,)), TWO)  # type: ignore[arg-type]
    with pytest.raises(LilliputError, match=message):
        run_to_stream(job, "json", StringIO(), _silent())


@pytest.mark.parametrize(
    ("backend", "word", "code"),
    [("here", "SIGKILL", -signal.SIGKILL), ("2", "SIGKILL", -signal.SIGKILL), ("2", "SIGINT", 130)],
)
def test_a_stopped_run_goes_on(
    stand_in: ModuleType, folder: Path, tmp_path: Path, backend: str, word: str, code: int
) -> None:
    expected = tmp_path / "expected.jsonl"
    run_to_file(_job(stand_in, folder, in_this_process), expected, _silent())
    (folder / "log").unlink()
    (folder / "06.mp4").write_text(word)
    out = tmp_path / "out.jsonl"
    stopped = _run(folder, out, backend)
    assert stopped.returncode == code, stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert not out.exists()
    lines = (tmp_path / "out.jsonl.partial" / "journal").read_text().splitlines()[1:]
    kept = {Path(json.loads(line.split("\t")[0])[0]).name for line in lines}
    assert len(kept) >= 4
    resumed = _run(folder, out, backend)
    assert resumed.returncode == 0, resumed.stderr
    assert f"going on: {len(kept)} of 12 were done before" in resumed.stderr
    assert out.read_bytes() == expected.read_bytes()
    reads = _count_reads(folder)
    assert sum(reads.values()) - 12 <= 2  # those that were being read
    assert all(reads[name] == 1 for name in kept)
    assert not out.with_name("out.jsonl.partial").exists()


@pytest.fixture
def journal(folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A journal of the first three of the videos."""
    path = tmp_path / "journal"
    journal = Journal(sorted(folder.glob("*.mp4")), {"model": "a", "engine": None}, path)
    for task in list(journal)[:3]:
        journal.add(task, json.dumps({"error": f"tab\t{task.position}"}))
    journal.close()
    yield path


@contextmanager
def _reopen(folder: Path, path: Path, model: str = "a") -> Iterator[Journal]:
    videos = sorted(folder.glob("*.mp4"))
    with closing(Journal(videos, {"model": model, "engine": None}, path)) as journal:
        yield journal


def test_a_journal_gives_back_what_it_took(folder: Path, journal: Path) -> None:
    with _reopen(folder, journal) as opened:
        assert opened.num_done == 3
        errors = [json.loads(opened.read(position))["error"] for position in (2, 0, 1)]
        assert errors == ["tab\t2", "tab\t0", "tab\t1"]
        assert [task.position for task in opened] == list(range(3, 12))


@pytest.mark.parametrize("tail", [b'["x', b'["/x", 1, 2]\t{"error": "y"}', b"\0\0\0\n"])
def test_a_torn_last_line_is_dropped(folder: Path, journal: Path, tail: bytes) -> None:
    before = journal.read_bytes()
    journal.write_bytes(before + tail)
    with _reopen(folder, journal) as opened:
        assert opened.num_done == 3
        assert journal.read_bytes() == before
        opened.add(next(iter(opened)), '{"error": "z"}')
    with _reopen(folder, journal) as opened:
        assert opened.num_done == 4


def test_a_journal_torn_in_its_first_line(folder: Path, journal: Path) -> None:
    journal.write_bytes(journal.read_bytes()[:9])
    with _reopen(folder, journal) as opened:
        assert opened.num_done == 0


def test_changed_files_are_read_again(folder: Path, journal: Path) -> None:
    (folder / "00.mp4").write_text("longer")
    os.utime(folder / "01.mp4", ns=(1, 1))
    (folder / "02.mp4").rename(folder / "99.mp4")
    with _reopen(folder, journal) as opened:
        assert [Path(task.path).name for task in opened][:2] == ["00.mp4", "01.mp4"]
        assert opened.num_done == 0


def test_new_files_join(folder: Path, journal: Path) -> None:
    (folder / "01b.mp4").write_text("new")
    with _reopen(folder, journal) as opened:
        assert next(iter(opened)).path.endswith("01b.mp4")
        assert json.loads(opened.read(3))["error"] == "tab\t2"


def test_a_file_given_twice(folder: Path, tmp_path: Path) -> None:
    videos = [folder / "00.mp4"] * 2
    with closing(Journal(videos, {}, tmp_path / "journal")) as journal:
        _, second = journal
        journal.add(second, '{"error": "b"}')
        assert [task.position for task in journal] == [0]
    with closing(Journal(videos, {}, tmp_path / "journal")) as journal:
        assert journal.num_done == 2
        assert journal.read(0).strip() == journal.read(1).strip() == '{"error": "b"}'


def test_a_journal_of_another_model(folder: Path, journal: Path) -> None:
    with (
        pytest.raises(ConfigError, match="journal: begun with another model; run the command"),
        _reopen(folder, journal, model="b"),
    ):
        pass


def test_a_journal_in_use(folder: Path, journal: Path) -> None:
    with (
        _reopen(folder, journal),
        pytest.raises(ConfigError, match="another run is writing it"),
        _reopen(folder, journal),
    ):
        pass
    with _reopen(folder, journal) as opened:
        assert opened.num_done == 3
