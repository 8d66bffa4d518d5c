"""Recipes: TOML files read into settings, with errors that name the place and the remedy."""

import difflib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from lilliput.config.section import Section
from lilliput.config.sections import Config
from lilliput.errors import ConfigError
from lilliput.reading import parse_json, parse_toml

VIEW_SETTINGS = (
    *(
        f"evaluation.{key}"
        for key in (
            "flip", "flip_merge", "vertical_flip", "quarter_turn", "num_clips", "clip_merge"
        )
    ),
    "sampling.evaluation",
)  # fmt: skip


def recipe_names() -> list[str]:
    """Names of the recipes that ship with the package, such as ``thesis/table_4_03/resnet18``."""
    root = Path(str(resources.files("lilliput") / "recipes"))
    return sorted(
        path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.toml")
    )


def load_config(recipe: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Reads a recipe, by name or path, and applies ``section.key=value`` overrides.

    Raises:
        ConfigError: No such recipe, no valid TOML, or a key or value that does not fit; the
            message names its dotted path and the nearest valid one.
    """
    path = _find_recipe(recipe)
    settings = _read_settings(path)
    for override in overrides:
        _apply(settings, override)
    return parse_config(settings, source=f"{path} with --set" if overrides else str(path))


def change_views(config: Config, overrides: Sequence[str]) -> Config:
    """Another test-time augmentation for a trained model, by ``section.key=value``.

    Raises:
        ConfigError: The setting belongs to training, or its value does not fit.
    """
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key not in VIEW_SETTINGS:
            raise ConfigError(
                f"--set {override}: a trained model can change {', '.join(VIEW_SETTINGS)} only"
            )
    return change_settings(config, overrides)


def change_settings(config: Config, overrides: Sequence[str]) -> Config:
    """The recipe with ``section.key=value`` overrides.

    Raises:
        ConfigError: A key or value does not fit.
    """
    settings = config.model_dump(mode="json")
    for override in overrides:
        _apply(settings, override)
    return parse_config(settings, source="--set")


def parse_config(settings: dict[str, Any], source: str) -> Config:
    """Validates plain nested dictionaries; ``source`` is named in errors."""
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_explain(error.errors())}") from None


def _read_settings(path: Path) -> dict[str, Any]:
    """A recipe in TOML, or the ``config.json`` of a run folder."""
    kind = "JSON" if path.suffix == ".json" else "TOML"
    try:
        text = path.read_text(encoding="utf-8-sig")
        settings = parse_json(text) if kind == "JSON" else parse_toml(text)
    except ValueError as error:  # of either format, and no UTF-8
        raise ConfigError(f"{path}: not valid {kind} ({error})") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"{path}: must hold the sections of a recipe")
    return settings


def _find_recipe(recipe: str | Path) -> Path:
    path = Path(recipe)
    if path.suffix in (".toml", ".json") or path.is_file():
        if not path.is_file():
            raise ConfigError(f"{path}: no such recipe file")
        return path
    if str(recipe) not in recipe_names():
        near = difflib.get_close_matches(str(recipe), recipe_names(), n=1, cutoff=0.0)
        raise ConfigError(
            f"no recipe is called '{recipe}'; nearest is '{near[0]}'. Or give a .toml file, or no "
            "recipe, for one that fits the data"
        )
    return Path(str(resources.files("lilliput") / "recipes" / f"{recipe}.toml"))


def parse_override(override: str) -> tuple[str, Any]:
    """``section.key=value`` into the dotted key and the value, which is TOML or a bare word.

    Raises:
        ConfigError: There is no equals sign.
    """
    dotted, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"--set {override}: write it as section.key=value")
    try:
        return dotted.strip(), parse_toml(f"value = {text}")["value"]
    except ValueError:
        return dotted.strip(), text  # a bare word is a string


def _apply(settings: dict[str, Any], override: str) -> None:
    put_setting(settings, *parse_override(override))


def put_setting(settings: dict[str, Any], dotted: str, value: Any) -> None:
    """Writes a value into nested dictionaries, by its dotted key.

    Raises:
        ConfigError: What holds the key is no section.
    """
    *parents, key = dotted.split(".")
    for parent in parents:
        settings = settings.setdefault(parent, {})
        if not isinstance(settings, dict):
            raise ConfigError(f"--set {dotted}: '{parent}' is no section")
    settings[key] = value


def _valid_keys(section: type[Section] = Config, prefix: str = "") -> list[str]:
    keys = []
    for name, field in section.model_fields.items():
        keys.append(f"{prefix}{name}")
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            keys += _valid_keys(field.annotation, f"{prefix}{name}.")
    return keys


def _explain(errors: Sequence[Any]) -> str:
    error = errors[0]
    location = [part for part in error["loc"] if isinstance(part, str)]
    dotted = ".".join(location)
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(dotted, _valid_keys(), n=1, cutoff=0.0)
        return f"no setting is called '{dotted}'; nearest is '{near[0]}'"
    # A union reports the type it tried last as part of the place; only settings are places.
    while location and ".".join(location) not in _valid_keys():
        location.pop()
    dotted = ".".join(location)
    if error["type"] == "value_error" and len(location) <= 1:
        return str(error["ctx"]["error"])  # of several settings, which it names itself
    # A union tells once per type why the input does not fit.
    size = len(location)
    same = [other["msg"] for other in errors if other["loc"][:size] == error["loc"][:size]]
    reasons = [reason.removeprefix("Value error, ") for reason in dict.fromkeys(same)]
    message = " or ".join(reason[0].lower() + reason[1:] for reason in reasons)
    choices = _choices(location)
    if choices and isinstance(error["input"], str):
        near = difflib.get_close_matches(error["input"], choices, n=1, cutoff=0.0)
        message += f"; nearest is '{near[0]}'"
    return f"{dotted} = {error['input']!r}: {message}"


def _choices(location: list[str]) -> list[str]:
    annotation: Any = Config
    for part in location:
        annotation = annotation.model_fields[part].annotation
    return [choice for choice in get_args(annotation) if isinstance(choice, str)]
