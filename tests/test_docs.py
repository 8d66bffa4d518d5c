"""What docs/ says is what the code does."""

import importlib
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from lilliput.config import load_config
from lilliput.config.model import ModelConfig

RunCli = Callable[..., tuple[int, str, str]]

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
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
    assert rows == set(ModelConfig.model_fields["name"].annotation.__args__)


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
    for setting in re.findall(r"`model\.([a-z_]+)", text):
        assert setting in ModelConfig.model_fields


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
