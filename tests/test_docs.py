"""What docs/ says is what the code does."""

import importlib
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args
from xml.etree import ElementTree

import pytest
from pydantic import BaseModel

from lilliput.config import Config, load_config
from lilliput.config.model import ModelConfig
from lilliput.watch.cameras import WatchSettings, read_watch_settings

RunCli = Callable[..., tuple[int, str, str]]

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
GUIDES = sorted((DOCS / "guides").glob("*.md"))
PICTURES = sorted((DOCS / "guides" / "pictures").glob("*.png"))
DRAWINGS = sorted(path.stem for path in (DOCS / "drawings").glob("*.svg"))
STALE = "run `python docs/generate.py`"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def scripts() -> Iterator[Callable[[str], ModuleType]]:
    """Imports docs/NAME.py, as `python docs/generate.py` does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_shows_the_network(name: str, scripts: Callable[[str], ModuleType]) -> None:
    drawn = scripts("drawings").DRAWINGS[name]()
    assert (DOCS / "drawings" / f"{name}.svg").read_text(encoding="utf-8") == drawn, STALE


def test_every_drawing_is_there_and_shown(scripts: Callable[[str], ModuleType]) -> None:
    shown = {
        name for page in PAGES for name in re.findall(r"drawings/(\w+)\.svg", page.read_text())
    }
    assert set(DRAWINGS) == set(scripts("drawings").DRAWINGS) == shown, STALE


def test_the_table_of_networks(scripts: Callable[[str], ModuleType]) -> None:
    pytest.importorskip("timm", reason="efficientnet_lite0 needs the extra lilliput[efficientnet]")
    written, memory = _apart((DOCS / "models.md").read_text(encoding="utf-8"))
    rendered, memory_now = _apart(scripts("table").render_table())
    assert written == rendered, STALE
    assert memory == pytest.approx(memory_now, rel=0.1), STALE


def _apart(table: str) -> tuple[list[str], list[float]]:
    """The lines without the two columns of memory, in which PyTorch's versions differ a little."""
    lines, memory = [], []
    for line in table.splitlines():
        if line.startswith("| `"):
            *cells, maps, training, _ = line.split("|")
            memory += [float(maps), float(training)]
            line = "|".join(cells)
        lines.append(line)
    return lines, memory


@pytest.mark.parametrize(
    ("row", "parameters", "gmac"),
    [  # computed independently, before this code was written
        ("| `resnet3d`, depth 18 | 112 |", 33.2, 8.3),
        ("| `resnet3d`, depth 18, adapted | 112 |", 33.2, 32.9),
        ("| `resnet3d`, depth 18, adapted | 56 |", 33.2, 22.9),
        ("| `resnet3d`, depth 18, adapted | 28 |", 33.2, 12.1),
        ("| `resnet3d`, depth 18, adapted | 14 |", 33.2, 5.8),
        ("| `resnet3d`, depth 50 | 112 |", 46.3, 10.1),
        ("| `resnet3d`, depth 50, adapted | 14 |", 46.3, 10.0),
        ("| `fpn`, depth 18 | 112 |", 35.1, 11.5),
        ("| `fpn`, depth 18, adapted | 112 |", 35.1, 45.8),
    ],
)
def test_known_figures_are_in_the_table(row: str, parameters: float, gmac: float) -> None:
    (line,) = [line for line in (DOCS / "models.md").read_text().splitlines() if row in line]
    cells = line.removeprefix(row).split("|")
    assert float(cells[0]) == pytest.approx(parameters, abs=0.06)
    assert float(cells[1]) == pytest.approx(gmac, abs=0.06)


def test_the_table_has_every_network() -> None:
    rows = set(re.findall(r"^\| `(\w+)`", (DOCS / "models.md").read_text(), re.MULTILINE))
    names = set(ModelConfig.model_fields["name"].annotation.__args__)
    assert rows == names - {"idt"}  # which is no network


@pytest.mark.parametrize("name", DRAWINGS)
def test_boxes_of_a_drawing_do_not_overlap_and_lie_inside(name: str) -> None:
    root = ElementTree.parse(DOCS / "drawings" / f"{name}.svg").getroot()
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    boxes = []
    for rectangle in root.iter(f"{SVG}rect"):
        if "rx" in rectangle.attrib:  # a box; not the background, not a note's colour
            x, y, w, h = (float(rectangle.attrib[key]) for key in ("x", "y", "width", "height"))
            boxes.append((x, y, x + w, y + h))
    assert len(boxes) > 5
    for index, (left, top, right, bottom) in enumerate(boxes):
        assert 0 < left < right < width
        assert 0 < top < bottom < height
        for other in boxes[:index]:
            assert right < other[0] or left > other[2] or bottom < other[1] or top > other[3]
    assert all(float(text.attrib["font-size"]) >= 12 for text in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_recipes_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (DOCS / target).is_file(), target
    for recipe in re.findall(r"`(thesis/\w+/\w+)`", text):
        load_config(recipe)
    for section, setting in re.findall(
        r"[` ](model|training|augment|loss|evaluation|sampling|data)\.([a-z_]+)\b(?!/)", text
    ):
        assert setting in Config.model_fields[section].annotation.model_fields, setting


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_of_a_page_run(page: Path, run_cli: RunCli) -> None:
    text = page.read_text(encoding="utf-8")
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        names: dict[str, object] = {}
        exec(example, names)
        assert names["logits"].shape == (2, 26)  # type: ignore[attr-defined]
    for line in re.findall(r"^lilliput (.*)$", text, re.MULTILINE):
        code, _, err = run_cli(*shlex.split(line))
        assert code == 0, err


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert all(f"]({page.name})" in index for page in PAGES if page.name != "README.md")


def _settings_rows(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Key and default of every setting that a settings file of `watch` may hold."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.validation_alias or name}"
        inner = [kind for kind in _kinds_of(field.annotation) if issubclass(kind, BaseModel)]
        if inner:
            yield from _settings_rows(inner[0], f"{key}.")
        elif field.is_required():
            yield key, "required"
        else:
            default = field.get_default(call_default_factory=True)
            written = json.dumps(list(default) if isinstance(default, tuple) else default)
            yield key, "none" if default is None else f"`{written}`"


def _kinds_of(annotation: object) -> list[type]:
    inner = [kind for part in get_args(annotation) for kind in _kinds_of(part)]
    return [annotation, *inner] if isinstance(annotation, type) else inner


def test_every_setting_of_watch_is_described() -> None:
    text = (DOCS / "watch.md").read_text(encoding="utf-8")
    section = text.split("## Settings")[1].split("\n## ")[0]
    rows = [tuple(line.split(" | ")[:2]) for line in section.splitlines() if line.startswith("| `")]
    described = [(key.strip("|` "), default) for key, default in rows]
    assert described == list(_settings_rows(WatchSettings))


def test_every_format_and_column_of_watch_is_described() -> None:
    pytest.importorskip("cv2", reason="needs the extra lilliput[watch]")
    tables = importlib.import_module("lilliput.watch.tables")
    writers = importlib.import_module("lilliput.watch.writers").WRITERS
    text = (DOCS / "watch.md").read_text(encoding="utf-8")
    formats, _, database = text.partition("## Database")
    assert all(f"| `{name}` |" in formats for name in writers if name != "jsonl")
    columns = set(re.findall(r"`(\w+)`", database))
    assert columns >= {column.name for column in tables.EVENTS.columns}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_links_and_pictures_of_a_guide_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).resolve().is_file(), target
    assert f"](guides/{page.name})" in (DOCS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_commands_of_a_guide_are_known(page: Path, run_cli: RunCli) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^lilliput (.*?)(?: +#.*)?$", text, re.MULTILINE)
    called = {tuple(re.match(r"(?:data )?\S+", line).group().split()) for line in lines}  # type: ignore[union-attr]
    assert called
    helps = {}
    for command in sorted(called):
        code, helps[command], _ = run_cli(*command, "--help")
        assert code == 0, command
    for line in lines:
        command = tuple(re.match(r"(?:data )?\S+", line).group().split())  # type: ignore[union-attr]
        for option in re.findall(r" (--[a-z-]+)", line):
            assert option in helps[command] or command == ("events",), f"{command}: {option}"


def test_the_settings_of_a_guide_are_valid(tmp_path: Path) -> None:
    text = (DOCS / "guides" / "i_have_a_camera.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        file = tmp_path / "cameras.toml"
        file.write_text(example, encoding="utf-8")
        assert read_watch_settings(file).cameras


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size <= 150_000
    assert any(f"](pictures/{picture.name})" in page.read_text() for page in GUIDES)
