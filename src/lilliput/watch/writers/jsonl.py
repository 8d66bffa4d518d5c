"""Events as JSON lines, as they happen."""

from pathlib import Path

from lilliput.watch.events import Step
from lilliput.watch.writers.output import Output


class JsonLinesWriter:
    """Fills the log: one line per event, when it is over.

    Whoever runs the writers marks the log as finished once all of them are closed.
    """

    def __init__(self, output: Output) -> None:
        self.paths: tuple[Path, ...] = (output.log.path,)
        self._log = output.log

    def write(self, step: Step) -> None:
        """Writes the events that are over."""
        for message in step.messages:
            if message.kind == "end":
                self._log.add(message.event)

    def close(self) -> None:
        """Leaves the log open, for the other writers read it."""
