"""The networks of chapter 2 beside the thesis' best, one table of ours.

All are trained and evaluated in the same way, that of the thesis' best row: segments,
augmentation, flip at test time, a threshold tuned on val. So a difference is the network's, and
that of the public weights it starts from. A row more is a line more.
"""

from lilliput.experiments.rows import Row, Table

COMPARATORS = Table(
    "comparators",
    "Comparators beside the thesis' networks",
    ("Method", "Section"),
    (
        Row(("ResNet18", "2.1.2.1"), "comparators/resnet18"),
        Row(("2-D ResNet18 on frames", "2.1.2"), "comparators/frame_resnet18"),
        Row(("C3D", "2.1.2"), "comparators/c3d"),
        Row(("R(2+1)D", "2.1.2.2"), "comparators/r2plus1d"),
        Row(("I3D", "2.1.2.3"), "comparators/i3d"),
        Row(("ViT", "2.1.3"), "comparators/video_vit"),
        Row(("MViT", "2.4.3"), "comparators/mvit"),
        Row(("FPN AD-ResNet18", "3.7"), "thesis/table_4_05/fpn_ad_resnet18_flip_tuned"),
        Row(("FPN AD-ResNet50", "4.4"), "thesis/table_4_10/fpn_ad_resnet50_tuned"),
    ),
    remark="The thesis prints no such table. All rows have segments, augmentation, the flip and a "
    "tuned threshold; scales reduce the width of those networks that have one.",
    steps=False,
)
