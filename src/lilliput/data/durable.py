"""Folders and files that appear whole or not at all, whatever kills their writer."""

import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(root: Path) -> Iterator[Path]:
    """Yields a hidden folder beside ``root`` that replaces ``root`` when the block is done.

    Files written into it must be on disk by then (``write_durably``). After an error it is
    removed; after a kill it stays hidden, and the next writer of the same ``root`` removes it.
    """
    root = root.resolve()
    root.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(root)
    partial = Path(tempfile.mkdtemp(prefix=f".{root.name}.partial-", dir=root.parent))
    try:
        with _locked(partial):
            partial.chmod(0o755)  # made for its owner alone, as temporary folders are
            yield partial
            _sync(partial)
            if root.exists():
                replaced = partial.with_name(f"{partial.name}-replaced")
                root.rename(replaced)
                partial.rename(root)
                shutil.rmtree(replaced)
            else:
                partial.rename(root)
            _sync(root.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields a hidden path beside ``path`` that replaces ``path`` when the block is done.

    After an error it is removed; after a kill it stays, and the next writer replaces it.
    """
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """Writes a file and waits until it is on disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove_leftovers(root: Path) -> None:
    """Removes what killed writers left; a living one holds its lock."""
    for folder in root.parent.glob(f".{glob.escape(root.name)}.partial-*"):
        with _locked(folder) as dead:
            if dead:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Locks a folder until the block ends or this process dies; yields whether that worked."""
    if sys.platform == "win32":
        yield False
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locked = True
    except OSError:  # another holds it, or the file system has no locks
        locked = False
    try:
        yield locked
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    """Makes the names in a folder survive a power cut, where the system can do that."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
