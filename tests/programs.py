"""Programs that some tests need beside Python: a developer may lack them, CI may not."""

import os
import shutil

import pytest


def need(*programs: str) -> None:
    """Skips the test, with the reason, where a program is missing; fails it on CI."""
    missing = [program for program in programs if shutil.which(program, path=_path()) is None]
    if not missing:
        return
    reason = f"needs the program {', '.join(missing)}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def find(program: str) -> str:
    """Its path."""
    found = shutil.which(program, path=_path())
    assert found is not None
    return found


def _path() -> str:
    """Where servers lie as well, which Debian keeps off a user's path."""
    return os.pathsep.join(
        [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/lib/postgresql/15/bin"]
    )
