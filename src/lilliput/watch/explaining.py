"""Why a settings file is refused, in one line: the place, and the nearest valid name."""

import difflib
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from lilliput.config.section import Section


def nearest(word: str, choices: Sequence[str]) -> str:
    """``; nearest is '…'``, or nothing where there is no choice."""
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.0)
    return f"; nearest is '{near[0]}'" if near else ""


def explain(error: ValidationError, root: type[Section], settings: dict[str, Any]) -> str:
    """The first thing that is wrong, such as ``camera 'gate': max_fps = 0: input should be …``.

    Args:
        error: What pydantic says.
        root: The settings that were read.
        settings: What was to be read.
    """
    # A key that is misspelt is missing too; the first is what helps.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    location = list(first["loc"])
    place = _place(settings, location)
    if first["type"] == "extra_forbidden":
        *parents, key = location
        hint = nearest(str(key), list(_fields(_section_at(root, parents))))
        return f"{place}: there is no such setting{hint}"
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if not isinstance(first["input"], (str, int, float)) or first["type"] == "missing":
        return f"{place}: {message}" if place else message
    choices = _choices(root, location)
    hint = nearest(first["input"], choices) if isinstance(first["input"], str) else ""
    return f"{place} = {first['input']!r}: {message}{hint}"


def _place(settings: Any, location: Sequence[str | int]) -> str:
    """``camera 'gate': zone 'road': polygon.1`` rather than ``camera.0.zone.0.polygon.1``."""
    parts: list[str] = []
    dotted: list[str] = []
    for key in location:
        settings = _item(settings, key)
        dotted.append(str(key))
        name = settings.get("name") if isinstance(settings, dict) else None
        if isinstance(key, int) and isinstance(name, str) and len(dotted) > 1:
            parts.append(f"{'.'.join(dotted[:-1])} '{name}'")
            dotted = []
    return ": ".join([*parts, ".".join(dotted)] if dotted else parts)


def _item(settings: Any, key: str | int) -> Any:
    try:
        return settings[key]
    except (KeyError, IndexError, TypeError):
        return None


def _section_at(root: type[Section], location: Sequence[str | int]) -> type[Section]:
    section = root
    for key in location:
        field = _fields(section).get(str(key))
        inner = _inner_section(field.annotation) if field is not None else None
        section = inner or section
    return section


def _fields(section: type[Section]) -> dict[str, FieldInfo]:
    """By the names that the file has."""
    return {
        field.validation_alias if isinstance(field.validation_alias, str) else name: field
        for name, field in section.model_fields.items()
    }


def _inner_section(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(_inner_section, get_args(annotation))), None)


def _choices(root: type[Section], location: Sequence[str | int]) -> list[str]:
    *parents, key = location
    field = _fields(_section_at(root, parents)).get(str(key))
    options = get_args(field.annotation) if field is not None else ()
    return [option for option in options if isinstance(option, str)]
