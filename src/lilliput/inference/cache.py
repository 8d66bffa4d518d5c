"""Converted networks, kept so that the next start is quick.

An entry is named after what it was made from and after its own content, and appears under that
name only when it is whole. So two processes may make the same one, and a damaged one is noticed
and made again.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from lilliput.errors import ConfigError


def cache_folder() -> Path:
    """``LILLIPUT_CACHE``, or ``lilliput`` in the user's cache folder.

    Raises:
        ConfigError: It cannot be made.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("LILLIPUT_CACHE") or Path(home) / "lilliput")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refuse(folder, error) from None
    return folder


def cached(key: str, suffix: str, make: Callable[[Path], None]) -> Path:
    """The file that ``make`` writes, or an earlier one under the same key.

    Args:
        key: Names everything that the content depends on.
        suffix: Of the file, with its dot.
        make: Writes the file to a path.

    Raises:
        ConfigError: There is no earlier one, and the folder cannot be written.
    """
    folder = cache_folder()
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    entries = sorted(folder.glob(f"{name}-*{suffix}"))
    for entry in entries:
        if entry.name == f"{name}-{digest(entry)}{suffix}":
            return entry
    try:
        opened = tempfile.TemporaryDirectory(dir=folder, prefix=".partial-")
    except OSError as error:
        raise _refuse(folder, error) from None
    with opened as workplace:
        for damaged in entries:
            damaged.unlink(missing_ok=True)
        made = Path(workplace) / f"made{suffix}"
        make(made)
        return made.replace(folder / f"{name}-{digest(made)}{suffix}")


def _refuse(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{folder}: cannot keep converted networks there ({error.strerror}); set LILLIPUT_CACHE"
    )


def digest(path: Path) -> str:
    """32 hexadecimal digits that stand for a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
