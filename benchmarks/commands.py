"""Runs commands and measures them as the operating system sees them."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
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


# A process counts the memory of the one that starts it until it runs its own program; so a small
# one stands in between, and tells what the command took.
_LAUNCHER = """
import resource, subprocess, sys
result = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(result.returncode)
"""


def run_command(command: Sequence[str], **variables: str) -> Finished:
    """Runs a command to its end.

    Raises:
        RuntimeError: It failed; the last line it wrote.
    """
    launcher = (sys.executable, "-I", "-S", "-c", _LAUNCHER)
    start = time.perf_counter()
    result = subprocess.run(
        [*launcher, *command], env=os.environ | variables, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    if result.returncode:
        raise RuntimeError((result.stderr.strip().splitlines() or ["no message"])[-1])
    unit = 1 if sys.platform == "darwin" else 1024
    return Finished(seconds, int(result.stdout) * unit)
