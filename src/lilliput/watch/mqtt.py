"""Events as MQTT messages, for home automation and alarm systems."""

import json
import threading
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from lilliput.errors import ConfigError, DataError
from lilliput.watch.events import Event, Step

try:
    from paho.mqtt.client import Client, ConnectFlags
    from paho.mqtt.enums import CallbackAPIVersion
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode
except ImportError:
    raise ConfigError("--mqtt needs the package paho: pip install 'lilliput[watch]'") from None

CONNECT_SECONDS = 10.0  # the first connection may take
CLOSE_SECONDS = 10.0  # closing waits for what is queued
MAX_QUEUED = 1000  # messages, while the broker is gone
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_UNSAFE = str.maketrans("/+#\0", "____")  # they mean something in a topic


@dataclass(frozen=True)
class _Outgoing:
    topic: str
    payload: str
    is_update: bool


class MqttPublisher:
    """Publishes what happens at the cameras; a channel of ``Session``.

    - ``<prefix>/<camera>/events``: ``{"type": …, "before": …, "after": …}`` as Frigate's, of type
      ``new``, ``update`` or ``end`` (``before`` is null in the first message of an event), with
      quality of service 1;
    - ``<prefix>/<camera>/alerts``: ``{"rule": …, "event": …}``, likewise;
    - ``<prefix>/available``: ``online`` or ``offline``, retained; the broker says ``offline`` by
      itself once this process is gone. Give each process a prefix of its own.

    In the name of a camera, characters that mean something in a topic become ``_``.

    Watching never waits for the broker. While it is gone, up to ``MAX_QUEUED`` messages wait;
    beyond that the oldest update goes, or the oldest message where none is an update.

    Args:
        url: ``mqtt://user:password@host:1883/prefix``, or ``mqtts://`` for TLS; user, password,
            port and prefix (``lilliput``) may be left out.

    Attributes:
        num_dropped: Messages that were given up.

    Raises:
        ConfigError: The address is none, or the first connection fails.
    """

    def __init__(self, url: str) -> None:
        self.num_dropped = 0
        self._before: dict[str, dict[str, Any]] = {}
        self._waiting: deque[_Outgoing] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._is_abandoned = False
        self._acknowledged: set[int] = set()
        self._answer: ReasonCode | None = None
        address = _parse(url)
        self._prefix = address.prefix
        self._where = f"MQTT broker {address.host}:{address.port}"
        self._client = self._connect(address)
        self._sender = threading.Thread(target=self._send_all, name="mqtt", daemon=True)
        self._sender.start()

    def write(self, step: Step) -> None:
        """Queues the messages and alerts of a step.

        Raises:
            DataError: Others had to be given up for them.
        """
        dropped_before = self.num_dropped
        for message in step.messages:
            event = message.event
            before = self._before.pop(event.event_id, None)
            after = _describe(event, is_over=message.kind == "end")
            if message.kind != "end":
                self._before[event.event_id] = after
            news = {"type": message.kind, "before": before, "after": after}
            self._queue(event, "events", news, is_update=message.kind == "update")
        for alert in step.alerts:
            described = _describe(alert.event, is_over=False)
            self._queue(alert.event, "alerts", {"rule": alert.rule, "event": described})
        if self.num_dropped > dropped_before:
            raise DataError(f"{self._where} is away: messages are dropped, the oldest first")

    def close(self) -> None:
        """Waits for what is queued, but not for long, and says ``offline``.

        Raises:
            DataError: Messages were given up.
        """
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._sender.join(CLOSE_SECONDS)
        with self._changed:
            self._is_abandoned = True
            self._changed.notify_all()
        self._sender.join()
        if self._client.is_connected():
            farewell = self._client.publish(f"{self._prefix}/available", "offline", 1, retain=True)
            farewell.wait_for_publish(1.0)
        self._client.disconnect()
        self._client.loop_stop()
        if self.num_dropped:
            raise DataError(f"{self._where} was away: {self.num_dropped} messages were not sent")

    def _connect(self, address: "_Address") -> Client:
        client = Client(CallbackAPIVersion.VERSION2)
        if address.user is not None:
            client.username_pw_set(address.user, address.password)
        if address.is_encrypted:
            client.tls_set()
        client.will_set(f"{self._prefix}/available", "offline", qos=1, retain=True)
        client.reconnect_delay_set(min_delay=1, max_delay=30)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        try:
            client.connect(address.host, address.port, keepalive=30)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self._where} cannot be reached ({error}); check --mqtt") from None
        client.loop_start()
        with self._changed:
            self._changed.wait_for(lambda: self._answer is not None, CONNECT_SECONDS)
        if self._answer is None or self._answer.is_failure:
            client.disconnect()
            client.loop_stop()
            reason = "no answer" if self._answer is None else str(self._answer)
            raise ConfigError(f"{self._where} refuses the connection ({reason}); check --mqtt")
        return client

    def _queue(
        self, event: Event, channel: str, document: dict[str, Any], *, is_update: bool = False
    ) -> None:
        topic = f"{self._prefix}/{event.camera.translate(_UNSAFE)}/{channel}"
        outgoing = _Outgoing(topic, json.dumps(document), is_update)
        with self._changed:
            if len(self._waiting) >= MAX_QUEUED:
                oldest = next((o for o in self._waiting if o.is_update), self._waiting[0])
                self._waiting.remove(oldest)
                self.num_dropped += 1
            self._waiting.append(outgoing)
            self._changed.notify_all()

    def _send_all(self) -> None:
        """Sends one message after the other, each once the broker has the one before."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing)
                if not self._waiting:
                    return
                outgoing = self._waiting.popleft()
                self._acknowledged.clear()
            # Without the lock, for the client calls back under locks of its own. It keeps a
            # message that was not acknowledged, and sends it again after a reconnection.
            number = self._client.publish(outgoing.topic, outgoing.payload, qos=1).mid
            with self._changed:
                self._changed.wait_for(partial(self._is_done_with, number))
                if number not in self._acknowledged:
                    self.num_dropped += 1 + len(self._waiting)
                    return

    def _is_done_with(self, number: int) -> bool:
        return number in self._acknowledged or self._is_abandoned

    def _on_connect(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        answer: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not answer.is_failure:
            client.publish(f"{self._prefix}/available", "online", qos=1, retain=True)
        with self._changed:
            self._answer = answer
            self._changed.notify_all()

    def _on_publish(self, _client: Client, _data: object, number: int, *_: object) -> None:
        with self._changed:
            self._acknowledged.add(number)
            self._changed.notify_all()


@dataclass(frozen=True)
class _Address:
    host: str
    port: int
    user: str | None
    password: str | None
    prefix: str
    is_encrypted: bool


def _parse(url: str) -> _Address:
    """Splits the address; its password must not get into the message of an error."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(
            "--mqtt: not the address of a broker; give mqtt://user:password@host:1883/prefix"
        )
    prefix = unquote(parts.path).strip("/") or "lilliput"
    if set(prefix) & set("+#\0"):
        raise ConfigError(f"--mqtt: a prefix cannot hold + or #, as {prefix!r} does")
    return _Address(
        parts.hostname,
        port or _PORTS[parts.scheme],
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
        prefix,
        parts.scheme == "mqtts",
    )


def _describe(event: Event, *, is_over: bool) -> dict[str, Any]:
    """Frigate's names for what it has, ours for the rest; without the boxes of the past.

    ``start_time`` and ``end_time`` are Unix times, null where nothing tells the wall clock;
    ``end_time`` is null while the event goes on. ``box`` is ``[left, top, right, bottom]``, px.
    """
    ended_at = event.ended_at if is_over else None
    return {
        "id": event.event_id,
        "camera": event.camera,
        "label": event.action,
        "score": round(event.score, 4),
        "box": [round(side) for side in event.boxes[-1].box] if event.boxes else None,
        "start_time": None if event.started_at is None else event.started_at.timestamp(),
        "end_time": None if ended_at is None else ended_at.timestamp(),
        "zones": list(event.zones),
        "track": event.track,
        "start_seconds": round(event.start_seconds, 3),
        "end_seconds": round(event.end_seconds, 3),
    }
