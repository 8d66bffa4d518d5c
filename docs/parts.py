"""What several drawings share: streams, pyramids and classifiers."""

from itertools import pairwise

from networks import NUM_CLASSES, Network, clip_size
from svg import Box, Drawing
from torch import nn

from lilliput.models.attention_pool import AttentionPool3d
from lilliput.models.facts import BACKBONE, PYRAMID
from lilliput.models.filter_bank import FilterBankHead
from lilliput.models.fpn import Fpn
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.multiscale import MultiScaleResNet3d

STAGES = ("stage 1", "stage 2", "stage 3", "stage 4")


def draw_single_stream(drawing: Drawing, network: Network) -> list[Box]:
    """The first row: clip, stem and stages, of which it returns the stages."""
    size = network.config.input_size
    return draw_stream(drawing, network, BACKBONE, size, 0)


def draw_stream(drawing: Drawing, network: Network, group: str, size: int, row: int) -> list[Box]:
    """A row of its own; its stages."""
    stem, pool = (str(network.map(group, name)) for name in ("conv1", "max pooling"))
    clip = drawing.box(0, row, "clip", f"clip, {size} px", clip_size(size))
    boxes = [drawing.box(1, row, "stage", "conv1, pool", stem, pool)]
    for column, name in enumerate(STAGES, 2):
        boxes.append(drawing.box(column, row, "stage", name, str(network.map(group, name))))
    draw_chain(drawing, [clip, *boxes])
    return boxes[1:]


def draw_streams(drawing: Drawing, network: Network, multiscale: nn.Module) -> list[list[Box]]:
    """One row for each stream, the largest on top; the stages of each."""
    assert isinstance(multiscale, MultiScaleResNet3d)
    sizes = multiscale.input_sizes
    rows = {index: len(sizes) - 1 - index for index in range(len(sizes))}
    stages = {
        index: draw_stream(drawing, network, f"{sizes[index]} px stream", sizes[index], rows[index])
        for index in sorted(rows, key=rows.__getitem__)
    }
    for index in rows:
        for donor in multiscale.donors(index):
            for start, end in zip(stages[donor][:-1], stages[index][1:], strict=True):
                drawing.step(start, end, "lateral", apart=26)
    return list(stages.values())


def draw_pyramid(drawing: Drawing, network: Network, sources: list[Box], row: int) -> None:
    """Levels below the maps they come from, classifiers below the levels, the sum at the end."""
    fpn = network.model
    assert isinstance(fpn, Fpn)
    levels = []
    for column, (source, map_) in enumerate(
        zip(sources, network.facts.group(PYRAMID), strict=True), 2
    ):
        levels.append(drawing.box(column, row, "level", map_.name, str(map_)))
        drawing.below(source, levels[-1], "level")
    for higher, lower in zip(levels[:0:-1], levels[-2::-1], strict=True):
        drawing.beside(higher, lower, "level")
    total = drawing.box(3.5, row + 2, "head", fpn.merge, f"{NUM_CLASSES} logits")
    for column, (level, head) in enumerate(zip(levels, fpn.heads, strict=True), 2):
        box = drawing.box(column, row + 1, "head", *classifier(head))
        drawing.below(level, box)
        drawing.step(box, total)
    drawing.note(
        "level",
        "1×1×1 convolution of the stage's map; the level above, resized, is added; then each is "
        "smoothed 3×3×3",
    )


def draw_head(drawing: Drawing, column: float, row: float, model: nn.Module) -> Box:
    """The box of a classifier's head."""
    assert isinstance(model, Classifier)
    return drawing.box(column, row, "head", *classifier(model.head))


def classifier(head: nn.Module) -> tuple[str, ...]:
    """Its lines in a box."""
    if isinstance(head, FilterBankHead):
        filters = head.bank.filters.out_channels
        return "linear + bank", f"{filters} filters", f"3 × {NUM_CLASSES} logits"
    assert isinstance(head, LinearHead)
    pool = "attention" if isinstance(head.pool, AttentionPool3d) else "average"
    return "classifier", f"{pool} pool", f"{NUM_CLASSES} logits"


def draw_chain(drawing: Drawing, boxes: list[Box]) -> None:
    """Arrows from each to the next."""
    for start, end in pairwise(boxes):
        drawing.beside(start, end)
