import json
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lilliput.errors import ConfigError, DataError
from lilliput.watch.events import Message, Step
from lilliput.watch.log import EventLog, iter_events
from lilliput.watch.records import to_record
from lilliput.watch.writers import WRITERS
from tests.watch.staged import event, output_in

EVENTS = [event(0, 1), event(1, 2.5, action="läuft\u2028🙂"), event(2, 2, boxes=(), track=0)]


def _fill(path: Path, resume: bool = False) -> EventLog:
    log = EventLog(path, resume=resume)
    for one in EVENTS:
        log.add(one)
    return log


def test_each_line_is_an_event_as_soon_as_it_is_added(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "new" / "events.jsonl", resume=False)
    for count, one in enumerate(EVENTS, start=1):
        assert log.add(one)
        lines = log.path.read_text(encoding="utf-8").split("\n")
        assert [json.loads(line) for line in lines[:-1]] == [to_record(e) for e in EVENTS[:count]]
        assert lines[-1] == ""
    assert list(log) == EVENTS  # while it is still open
    log.close()
    assert list(iter_events(log.path)) == EVENTS


def test_an_event_is_written_once(tmp_path: Path) -> None:
    with _fill(tmp_path / "e.jsonl") as log:
        assert not log.add(EVENTS[1])
    with _fill(tmp_path / "e.jsonl", resume=True) as log:
        assert log.add(event(7, 8))
        assert len(log) == 4
    assert list(iter_events(tmp_path / "e.jsonl")) == [*EVENTS, event(7, 8)]


def test_a_log_with_events_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    EventLog(path, resume=False).close()
    _fill(path).close()  # an empty one is no loss
    with pytest.raises(ConfigError, match="add --resume to go on, or give another --out") as error:
        EventLog(path, resume=False)
    assert str(path) in str(error.value)
    assert len(list(iter_events(path))) == 3


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_log_cut_anywhere_is_resumed(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("log") / "e.jsonl"
    _fill(path).close()
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    with EventLog(path, resume=True) as log:
        assert len(log) == whole[:cut].count(b"\n")
    with _fill(path, resume=True):
        pass
    assert path.read_bytes() == whole


def test_a_torn_line_longer_than_a_block_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    _fill(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole + b"x" * 200_000)
    EventLog(path, resume=True).close()
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", [b"{}\n", b"nonsense\n", b"[]\n", b"\xff\n", b"\n", b"3\n"])
def test_other_content_is_named_and_kept(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "e.jsonl"
    _fill(path).close()
    content = path.read_bytes() + line
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"e\.jsonl: line 4 is not an event") as error:
        EventLog(path, resume=True)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content
    with pytest.raises(DataError, match="check the path"):
        list(iter_events(tmp_path / "missing.jsonl"))


def test_finished_holds_only_for_the_log_it_was_said_of(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    with _fill(path) as log:
        assert not log.is_finished
        log.finish(12.5)
        assert log.is_finished
    with EventLog(path, resume=True) as log:
        assert log.is_finished
    assert json.loads((tmp_path / "e.finished.json").read_text())["seconds"] == 12.5
    path.write_bytes(path.read_bytes()[:-5])  # someone edits it
    with EventLog(path, resume=True) as log:
        assert not log.is_finished
    path.unlink()
    with EventLog(path, resume=False) as log:
        assert not log.is_finished
    assert list(tmp_path.iterdir()) == [path]


def test_only_ends_are_logged(tmp_path: Path) -> None:
    output = output_in(tmp_path)
    writer = WRITERS["jsonl"](output)
    messages = tuple(Message(kind, event(1, 2)) for kind in ("new", "update"))  # type: ignore[arg-type]
    writer.write(Step(None, (), messages, (), 0.0))
    output.log.close()
    assert output.log.path.read_bytes() == b""


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    events = [event(i, i + 1) for i in range(50)]
    child = os.fork()
    if child == 0:
        try:
            log = EventLog(path, resume=False)
            for one in events:
                log.add(one)
        finally:  # nothing of this process must go on in the child
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert list(iter_events(path)) == events
