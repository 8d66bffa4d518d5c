"""docs/thesis.md names every part of the thesis, and what it names is there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import typer

from lilliput.cli.main import app
from lilliput.config import load_config, recipe_names
from lilliput.experiments.tables import TABLES, find_tables

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "lilliput"
PAGE = ROOT / "docs" / "thesis.md"
SHARED = ROOT.parent / "shared" / "thesis.txt"
STATES = ("done", "missing", "text")

SECTIONS = [
    *("1", "2", "2.1", "2.1.1", "2.1.2", "2.1.2.1", "2.1.2.2", "2.1.2.3", "2.1.3"),
    *("2.2", "2.3", "2.4", "2.4.1", "2.4.2", "2.4.3"),
    *("3", "3.1", "3.1.1", "3.1.2", "3.2", "3.3", "3.3.1", "3.3.2", "3.3.3", "3.3.4"),
    *("3.4", "3.4.1", "3.4.2", "3.5", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.11.1"),
    *("3.11.2", "4", "4.1", "4.1.1", "4.1.1.1", "4.1.1.2", "4.1.1.3"),
    *("4.1.2", "4.1.2.1", "4.1.2.2", "4.1.3", "4.1.3.1", "4.1.3.2", "4.1.3.3", "4.1.4"),
    *("4.2", "4.3", "4.3.1", "4.3.2", "4.3.3", "4.3.4", "4.3.5", "4.4", "5", "5.1"),
]
FIGURES = {1: 1, 2: 12, 3: 10, 4: 16}  # by chapter
PARTS = [
    *SECTIONS,
    *(f"table 4.{number}" for number in range(1, 13)),
    *(f"figure {chapter}.{n}" for chapter, count in FIGURES.items() for n in range(1, count + 1)),
]


class Part(NamedTuple):
    """One line of the page."""

    name: str
    files: list[str]
    commands: list[list[str]]
    state: str
    remark: str


def _read_page() -> Iterator[Part]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| (\d|table \d|figure \d)", line):
            name, _, files, commands, state = (cell.strip() for cell in line.strip("|").split("|"))
            state, _, remark = state.partition(": ")
            yield Part(
                name,
                re.findall(r"`([^`]+)`", files),
                [shlex.split(command) for command in re.findall(r"`([^`]+)`", commands)],
                state,
                remark,
            )


PAGE_PARTS = list(_read_page())
COMMANDS = sorted({tuple(command) for part in PAGE_PARTS for command in part.commands})
RENDERED = [part for part in PAGE_PARTS if re.match(r"table 4\.([3-9]|1\d)$", part.name)]


def test_every_part_of_the_thesis_has_one_line_in_its_order() -> None:
    assert [part.name for part in PAGE_PARTS] == PARTS


def test_the_parts_are_those_of_the_thesis() -> None:
    if not SHARED.is_file():
        pytest.skip(f"{SHARED} is not here")
    text = SHARED.read_text(encoding="utf-8")
    sections = re.findall(r"^\s?(\d(?:\.\d{1,2})+)\s+[A-Z]", text, re.MULTILINE)
    chapters = re.findall(r"^\s?Chapter (\d)$", text, re.MULTILINE)
    captions = re.findall(r"^\s?(Figure|Table) (\d\.\d+):", text, re.MULTILINE)
    found = {*sections, *chapters, *(f"{kind.lower()} {number}" for kind, number in captions)}
    assert found == set(PARTS)


@pytest.mark.parametrize("part", PAGE_PARTS, ids=lambda part: part.name)
def test_a_part_has_a_state_and_its_files_are_there(part: Part) -> None:
    assert part.state in STATES
    for file in part.files:
        assert (PACKAGE / file).is_file() or (ROOT / file).is_file(), file
    if part.state == "done":
        assert part.files  # something that does it
    elif part.state == "missing" and part.files:
        assert part.remark  # what of it


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_parses(command: tuple[str, ...]) -> None:
    program, *arguments = command
    assert program == "lilliput"
    group: click.Command = typer.main.get_command(app)
    context = group.make_context("lilliput", list(arguments))
    while isinstance(group, click.Group):  # parsed, as if to be run, and not run
        name, group, rest = group.resolve_command(context, [*context.protected_args, *context.args])
        assert group is not None
        context = group.make_context(name, rest, parent=context)
    assert context.params.get("help") is not True


def test_recipes_and_settings_of_the_commands_load() -> None:
    for _, name, *arguments in COMMANDS:
        overrides = [arguments[i + 1] for i, word in enumerate(arguments) if word == "--set"]
        if name == "train" or (name == "info" and arguments[0] in recipe_names()):
            load_config(arguments[0], overrides)
        elif name == "info":
            settings = [f"model.name={arguments[0]}", *overrides]
            load_config("thesis/table_4_03/resnet18", settings)
        elif name == "reproduce":
            find_tables([word for word in _positional(arguments) if word != "list"])


def test_reproduce_knows_every_table_and_figure_that_it_is_said_to_draw() -> None:
    lines = {part.name: part for part in PAGE_PARTS}
    assert [part.name for part in RENDERED] == [f"table {table.number}" for table in TABLES]
    for table in TABLES:
        names = [f"table {table.number}", *(f"figure {one.number}" for one in table.figures)]
        for name in names:
            (command,) = lines[name].commands
            assert command[1] == "reproduce" and table.name in command, name
    drawn = {f"figure {figure.number}" for table in TABLES for figure in table.figures}
    said = {
        part.name
        for part in PAGE_PARTS
        if part.name.startswith("figure") and any("reproduce" in one for one in part.commands)
    }
    assert said == drawn


def _positional(arguments: list[str]) -> list[str]:
    """The words before the first option."""
    first = next((i for i, word in enumerate(arguments) if word.startswith("--")), len(arguments))
    return list(arguments[:first])
