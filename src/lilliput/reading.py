"""JSON and TOML of unknown origin: whatever they hold, one kind of error."""

import json
import tomllib
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Parses JSON.

    Raises:
        ValueError: It is no UTF-8, no JSON, nested too deeply, or has a number of thousands of
            digits; the message is one line.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Parses TOML.

    Raises:
        ValueError: It is no TOML, nested too deeply, or has a number of thousands of digits; the
            message is one line.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
