"""Runs commands and measures them as the operating system sees them."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LILLIPUT = (sys.executable, "-c", "from lilliput.cli.main import main; main()")


@dataclass(frozen=True)
class Finished:
    """What a command took.

    Attributes:
        seconds: From its start to its end.
        peak: The most resident memory of the process, bytes.
    """

    seconds: float
    peak: int


def run_command(command: Sequence[str], **variables: str) -> Finished:
    """Runs a command to its end.

    Raises:
        RuntimeError: It failed; the last line it wrote.
    """
    environment: Mapping[str, str] = os.environ | variables
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError((errors.strip().splitlines() or ["no message"])[-1])
    unit = 1 if sys.platform == "darwin" else 1024
    return Finished(seconds, usage.ru_maxrss * unit)
