"""A page to look at: counts, timeline, pictures and the list of events."""

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, TextIO

from jinja2 import ChoiceLoader, Environment, PackageLoader

from lilliput.watch.events import Event, Step
from lilliput.watch.writers.lanes import Block, Cells, blocks_of, ticks
from lilliput.watch.writers.output import LogWriter, Output
from lilliput.watch.writers.thumbnails import Thumbnails

MAX_LISTED = 500  # events; the page stays small enough to be mailed
MAX_PICTURES = 200
_NOTHING = "–"


@dataclass
class _Action:
    """What the page says of one action."""

    name: str
    cells: Cells
    count: int = 0
    seconds: float = 0.0
    best_score: float = 0.0
    listed: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        self.count += 1
        self.seconds += event.end_seconds - event.start_seconds
        self.best_score = max(self.best_score, event.score)
        self.cells.add(event)

    @property
    def blocks(self) -> list[Block]:
        if self.count == len(self.listed):
            return blocks_of(self.listed)
        return list(self.cells.blocks())


class ReportWriter(LogWriter):
    """``report.html``, one file that asks nothing of the network and needs no scripts.

    The first 500 events are listed, the first 200 with a picture; the counts are of all events,
    and so is the timeline, where the events of an action are drawn together once they are not
    all listed.
    """

    def __init__(self, output: Output) -> None:
        super().__init__(output, "report.html")
        self._thumbnails = Thumbnails(MAX_PICTURES)
        self._num_frames = 0
        self._seconds = 0.0

    def write(self, step: Step) -> None:
        """Takes pictures of the events."""
        self._thumbnails.write(step)
        if step.scene is not None:
            self._num_frames += 1
            self._seconds = step.scene.frame.seconds

    def write_events(self, file: TextIO) -> None:
        """Writes the page."""
        length = max(self._seconds + 1 / self.output.fps, 0.001)
        actions, listed = self._read_log(length)
        listed.sort(key=lambda event: (event.start_seconds, event.action))
        total = sum(action.count for action in actions)
        file.writelines(
            _template().generate(
                title=f"Actions at {self.output.camera}",
                facts=self._facts(
                    length, total, len({event.track for event in listed if event.boxes})
                ),
                actions=actions,
                total=total,
                unseen=sorted(set(self.output.class_names) - {a.name for a in actions}),
                listed=listed,
                numbers={event.event_id: n for n, event in enumerate(listed, start=1)},
                picture=self._thumbnails.uri,
                max_pictures=MAX_PICTURES,
                has_clock=any(event.started_at for event in listed),
                length=length,
                lanes={action.name: action.blocks for action in actions},
                ticks=ticks(length),
            )
        )

    def _read_log(self, length: float) -> tuple[list[_Action], list[Event]]:
        """Actions by their number of events, and the events to list."""
        actions: dict[str, _Action] = {}
        listed: list[Event] = []
        for event in self.output.log:
            if event.action not in actions:
                actions[event.action] = _Action(event.action, Cells(length))
            action = actions[event.action]
            action.add(event)
            if len(listed) < MAX_LISTED:
                listed.append(event)
                action.listed.append(event)
        return sorted(actions.values(), key=lambda action: (-action.count, action.name)), listed

    def _facts(self, length: float, total: int, num_actors: int) -> dict[str, str]:
        output = self.output
        facts = {"camera": output.camera, "source": PurePath(output.source).name or output.source}
        if output.starts_at is not None:
            facts["begins"] = output.starts_at.isoformat(" ", "seconds")
        width, height = output.size
        facts["length"] = f"{time_in_words(length)}, {self._num_frames} frames watched"
        facts["picture"] = f"{width} × {height} px"
        facts["events"] = f"{total} event{'' if total == 1 else 's'}"
        if num_actors and total <= MAX_LISTED:
            facts["events"] += f" of {num_actors} actor{'' if num_actors == 1 else 's'}"
        facts["model"] = f"tells {len(output.class_names)} actions apart"
        return facts


def time_in_words(seconds: float) -> str:
    """Such as ``1:02:07.5`` or ``0:07.5``."""
    minutes, tenths = divmod(round(10 * seconds), 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{clock}:{tenths // 10:02d}.{tenths % 10}"


def _template() -> Any:
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("lilliput.watch", "writers"), PackageLoader("lilliput", "evaluation")]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"time": time_in_words, "words": lambda name: name.replace("_", " ")}
    environment.globals["nothing"] = _NOTHING
    return environment.get_template("report.html.jinja")
