import json
import queue
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from lilliput.errors import ConfigError, DataError
from lilliput.watch import mqtt
from lilliput.watch.events import Alert, Event, Message, Step
from lilliput.watch.mqtt import MqttPublisher
from tests.programs import find, need
from tests.watch.staged import event

PATIENCE = 20.0  # seconds


class Broker:
    """A mosquitto on a loopback port of its own; can be stopped and started again."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.settings = folder / "mosquitto.conf"
        # Sessions survive a restart, so that what is sent before a listener is back reaches it.
        own = f"user root\npersistence true\npersistence_location {folder}/"
        self.settings.write_text(f"listener {self.port} 127.0.0.1\n{own}\n{settings}\n")
        self.start()

    def start(self) -> None:
        command = [find("mosquitto"), "-c", str(self.settings)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._is_listening)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}/house/cams"


class Listener:
    """Hears everything under the prefix."""

    def __init__(self, port: int, name: str = "listener") -> None:
        self.heard: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
        self.subscribed: queue.Queue[bool] = queue.Queue()
        self.client = Client(CallbackAPIVersion.VERSION2, name, clean_session=False)
        self.client.on_connect = lambda client, *_: client.subscribe("house/#", qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.put(True)
        self.client.on_message = lambda _client, _data, message: self.heard.put(
            (message.topic, message.payload, message.retain)
        )
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.subscribed.get(timeout=PATIENCE)

    def next(self, channel: str) -> tuple[str, bytes, bool]:
        """The next message on a channel such as ``events``; others are passed over."""
        while True:
            heard = self.heard.get(timeout=PATIENCE)
            if heard[0].endswith(f"/{channel}"):
                return heard

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def until(is_so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def told(kind: str, one: Event) -> Step:
    return Step(None, (), (Message(kind, one),), (), 0.0)  # type: ignore[arg-type]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    need("mosquitto")
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    listener = Listener(broker.port)
    yield listener
    listener.close()


def test_news_of_an_event_comes_in_order(broker: Broker, listener: Listener) -> None:
    publisher = MqttPublisher(broker.url)
    who = {"event_id": "7", "camera": "back/yard #2+"}
    publisher.write(told("new", event(1, 2, **who)))
    publisher.write(told("update", event(1, 3, score=0.8, **who)))
    publisher.write(told("end", event(1, 4.5, score=0.9, **who)))
    publisher.close()
    heard = [listener.next("events") for _ in range(3)]
    assert {topic for topic, *_ in heard} == {"house/cams/back_yard _2_/events"}
    new, update, end = (json.loads(payload) for _, payload, _ in heard)
    assert [new["type"], update["type"], end["type"]] == ["new", "update", "end"]
    assert new["before"] is None
    assert update["before"] == new["after"]
    assert end["before"] == update["after"]
    assert update["after"]["end_time"] is None
    # 1 May 2024, 12:00 UTC is 1714564800; the actor moves 20 px a second from (20, 100).
    assert end["after"] == {
        "id": "7",
        "camera": "back/yard #2+",
        "label": "walking",
        "score": 0.9,
        "box": [110, 100, 140, 180],
        "start_time": 1714564801.0,
        "end_time": 1714564804.5,
        "zones": ["road", "kerb"],
        "track": 3,
        "start_seconds": 1.0,
        "end_seconds": 4.5,
    }
    assert publisher.num_dropped == 0


def test_alerts_and_availability(broker: Broker, listener: Listener) -> None:
    publisher = MqttPublisher(broker.url)
    assert listener.next("available")[:2] == ("house/cams/available", b"online")
    publisher.write(Step(None, (), (), (Alert("at night", event(1, 2)),), 0.0))
    topic, payload, _ = listener.next("alerts")
    assert topic == "house/cams/gate/alerts"
    assert json.loads(payload)["rule"] == "at night"
    assert json.loads(payload)["event"]["label"] == "walking"
    publisher.close()
    assert listener.next("available")[1] == b"offline"
    late = Listener(broker.port, "late")
    assert late.next("available") == ("house/cams/available", b"offline", True)
    late.close()


def test_messages_wait_for_a_broker_that_comes_back(broker: Broker, listener: Listener) -> None:
    publisher = MqttPublisher(broker.url)
    publisher.write(told("end", event(0, 1)))
    listener.next("events")
    broker.stop()
    before = time.monotonic()
    for number in range(1, 20):
        publisher.write(told("end", event(number, number + 1)))
    assert time.monotonic() - before < 1.0  # watching does not wait
    broker.start()
    publisher.close()
    assert publisher.num_dropped == 0
    seen = []
    while len(set(seen)) < 19:
        seen.append(json.loads(listener.next("events")[1])["after"]["start_seconds"])
    # Quality of service 1: at least once, and in order.
    assert sorted(set(seen), key=seen.index) == sorted(set(seen))


def test_a_broker_that_stays_away_costs_old_updates_first(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "MAX_QUEUED", 3)
    monkeypatch.setattr(mqtt, "CLOSE_SECONDS", 0.1)
    publisher = MqttPublisher(broker.url)
    broker.stop()
    publisher.write(told("end", event(0, 1)))
    until(lambda: not publisher._waiting)  # it is being sent, in vain
    for kind in ("new", "update", "update"):
        publisher.write(told(kind, event(1, 2)))
    for _ in range(2):
        with pytest.raises(DataError, match="is away: messages are dropped"):
            publisher.write(told("end", event(1, 2)))
    kinds = [json.loads(outgoing.payload)["type"] for outgoing in publisher._waiting]
    assert kinds == ["new", "end", "end"]
    assert publisher.num_dropped == 2
    with pytest.raises(DataError, match="is away: messages are dropped"):
        publisher.write(told("end", event(5, 6)))
    assert publisher.num_dropped == 3
    before = time.monotonic()
    with pytest.raises(DataError, match="7 messages were not sent"):
        publisher.close()
    assert time.monotonic() - before < 5
    assert publisher.num_dropped == 3 + 1 + 3  # the one on its way, and those that waited


def test_a_killed_process_is_offline(broker: Broker, listener: Listener) -> None:
    code = (
        "import sys; from lilliput.watch.mqtt import MqttPublisher;"
        "MqttPublisher(sys.argv[1]); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, broker.url], stdin=subprocess.PIPE)
    assert listener.next("available")[1] == b"online"
    process.send_signal(signal.SIGKILL)
    assert listener.next("available")[1] == b"offline"
    process.communicate()


def test_passwords_open_the_broker_and_stay_out_of_errors(tmp_path: Path) -> None:
    need("mosquitto", "mosquitto_passwd")
    passwords = tmp_path / "passwords"
    subprocess.run(
        [find("mosquitto_passwd"), "-b", "-c", str(passwords), "guard", "p@ss/word"],
        check=True,
        capture_output=True,
    )
    passwords.chmod(0o644)
    tmp_path.chmod(0o755)
    broker = Broker(tmp_path, f"allow_anonymous false\npassword_file {passwords}")
    where = f"127.0.0.1:{broker.port}"
    try:
        MqttPublisher(f"mqtt://guard:p%40ss%2Fword@{where}").close()
        with pytest.raises(ConfigError, match="Not authorized") as caught:
            MqttPublisher(f"mqtt://guard:s3cret@{where}")
    finally:
        broker.stop()
    assert where in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_no_broker_is_one_line() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ConfigError) as caught:
        MqttPublisher(f"mqtt://guard:s3cret@127.0.0.1:{port}/x")
    assert f"127.0.0.1:{port} cannot be reached" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "localhost", "http://host", "mqtt://", "mqtt://host:x", "mqtt://[", "mqtt://h/a%23"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="--mqtt") as caught:
        MqttPublisher(url)
    assert "\n" not in str(caught.value)
