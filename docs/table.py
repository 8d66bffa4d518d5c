"""The table of all networks, docs/models.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from networks import NUM_CLASSES, NUM_FRAMES, Network, build

from lilliput.models.facts import BACKBONE

_INTRODUCTION = f"""# The networks in figures

<!-- Written by `python docs/generate.py`; a test keeps it true. -->

For one clip of {NUM_FRAMES} frames and {NUM_CLASSES} classes (TinyVIRAT), 32-bit floats.

- **GMAC**: multiply-adds of convolutions, matrix products and attention in one forward pass,
  in thousands of millions. *Backbone* is the share of everything before the pyramid or the
  classifier: the difference is what these add.
- **Last map**: T×H×W×C of the backbone's last map, one for each stream or image.
- **Weights**: MiB of the weights and of batch normalisation's statistics.
- **Maps**: MiB that feature maps hold at most at one time in a forward pass, the clip included,
  each freed after its last use. **Training**: MiB that a forward pass keeps for the backward
  pass; the weights, their gradients and the optimiser's state come on top. Both leave out the
  scratch memory of the kernels, and take attention as plain matrix products: fused kernels hold
  less.

`lilliput info NETWORK --set model.KEY=VALUE` prints the same for any settings, with all maps.
"""
_HEAD = (
    *("settings", "px", "parameters, M", "GMAC", "backbone", "last map"),
    *("weights", "maps", "training"),
)


@dataclass(frozen=True)
class Row:
    """One network: the settings beside its name and size."""

    name: str
    size: int
    settings: Mapping[str, object]

    @property
    def words(self) -> str:
        """Name and settings, as in a recipe."""
        settings = (
            key if value is True else f"{key} {value}".replace("(", "").replace(")", "")
            for key, value in self.settings.items()
        )
        return ", ".join([f"`{self.name}`", *settings])

    def cells(self) -> list[str]:
        """The row, measured."""
        network = build(name=self.name, input_size=self.size, **self.settings)
        facts = network.facts
        backbone = "" if facts.backbone_macs is None else f"{facts.backbone_macs / 1e9:.2f}"
        return [
            self.words,
            str(self.size),
            f"{facts.parameters / 1e6:.2f}",
            f"{facts.macs / 1e9:.2f}",
            backbone,
            _last_maps(network),
            f"{facts.weights_mib:.0f}",
            f"{facts.inference_mib:.1f}",
            f"{facts.training_mib:.0f}",
        ]


def _row(name: str, size: int = 112, **settings: object) -> Row:
    return Row(name, size, settings)


def _resnets() -> list[Row]:
    rows = []
    for depth in (18, 50):
        rows.append(_row("resnet3d", depth=depth))
        for size in (112, 56, 28, 14):
            rows.append(_row("resnet3d", size, depth=depth, adapted=True))
    rows += [_row("resnet3d", depth=depth) for depth in (34, 101, 152)]
    return [*rows, _row("resnet3d", depth=50, wide=True)]


_STREAMS = (14, 56, 112)
SECTIONS: dict[str, list[Row]] = {
    "[ResNet-3D](stride_adaptation.md), sections 2.1.2.1 and 3.2": _resnets(),
    "[Multi-scale ResNet-3D](multiscale.md), section 3.6": [
        _row("multiscale", input_sizes=_STREAMS),
        _row("multiscale", input_sizes=_STREAMS, adapted=True),
        _row("multiscale", input_sizes=_STREAMS, adapted=True, lateral="all"),
    ],
    "[Feature pyramid](fpn.md), section 3.7": [
        _row("fpn", depth=18),
        _row("fpn", depth=18, adapted=True),
        _row("fpn", depth=18, adapted=True, fpn_channels=256),
        _row("fpn", depth=50),
        _row("fpn", depth=50, adapted=True),
        _row("fpn", backbone="r2plus1d"),
        _row("fpn", backbone="efficientnet_lite0"),
    ],
    "[Multi-scale feature pyramid](multiscale_fpn.md), section 3.8": [
        _row("multiscale_fpn", input_sizes=_STREAMS),
        _row("multiscale_fpn", input_sizes=_STREAMS, adapted=True),
    ],
    "[Attention pooling](attention_pooling.md), section 3.9": [
        _row("resnet3d", adapted=True, pool="attention"),
        _row("fpn", adapted=True, pool="attention"),
        _row("fpn", adapted=True, pool="attention", attention_levels="all"),
    ],
    "[Filter bank](filter_bank.md), section 3.10": [
        _row("resnet3d", adapted=True, classifier="filter_bank", local_branch="stage"),
        _row("resnet3d", adapted=True, classifier="filter_bank"),
        _row("fpn", adapted=True, classifier="filter_bank"),
    ],
    "[Comparators](comparators.md), sections 2.1 and 2.4": [
        _row("frame_resnet"),
        _row("frame_resnet", 224),
        _row("frame_resnet", 224, depth=50),
        *(_row("deepvideo", fusion=fusion) for fusion in ("single", "early", "late", "slow")),
        _row("c3d"),
        _row("i3d"),
        _row("i3d", 224),
        _row("r2plus1d"),
        *(_row("r2plus1d", layout="kenshohara", depth=depth) for depth in (18, 50)),
        _row("r2plus1d", 28, layout="kenshohara", adapted=True),
        _row("p3d", depth=50),
        _row("mvit"),
        _row("mvit", 224),
        _row("video_vit"),
        _row("video_vit", 224),
        _row("video_vit", class_token=True),
        _row("video_vit", stem="conv"),
        _row("image_pyramid", input_sizes=_STREAMS),
    ],
}


def render_table() -> str:
    """The page's text."""
    lines = [_INTRODUCTION]
    for title, rows in SECTIONS.items():
        lines += [f"## {title}", "", _line(_HEAD), _line(["---"] + ["---:"] * (len(_HEAD) - 1))]
        lines += [_line(row.cells()) for row in rows]
        lines.append("")
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _last_maps(network: Network) -> str:
    """Of the backbone, or of each stream."""
    facts = network.facts
    ends = ("stream", "image")
    groups = [name for name in facts.groups if name == BACKBONE or name.endswith(ends)]
    return ", ".join(dict.fromkeys(str(facts.group(name)[-1]) for name in groups))
