"""Writes what docs/ takes from the code: models.md and the drawings.

    python docs/generate.py

tests/test_docs.py fails while the files are not what this would write.
"""

from pathlib import Path

from drawings import DRAWINGS
from table import render_table

DOCS = Path(__file__).parent


def main() -> None:
    """Writes every generated file."""
    (DOCS / "models.md").write_text(render_table(), encoding="utf-8")
    for name, draw in DRAWINGS.items():
        (DOCS / "drawings" / f"{name}.svg").write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
