"""The thesis' tables 4.1 and 4.2: what a complete copy of TinyVIRAT holds."""

from collections.abc import Mapping

# Table 4.1: clips of each split.
CLIPS_PER_SPLIT: Mapping[str, Mapping[str, int]] = {
    "TinyVIRAT": {"train": 7663, "test": 5166},
    "TinyVIRAT-v2": {"train": 16950, "val": 3308, "test": 6097},
}

# Table 4.1: average number of frames. Over which splits is not said.
AVERAGE_FRAMES: Mapping[str, float] = {"TinyVIRAT": 93.93, "TinyVIRAT-v2": 76.14}

# Table 4.2: training and validation clips of each class of TinyVIRAT-v2.
CLIPS_PER_CLASS: Mapping[str, tuple[int, int]] = {
    "Opening": (225, 12),
    "Interacts": (501, 29),
    "Pull": (85, 50),
    "activity_carrying": (2947, 707),
    "Entering": (202, 15),
    "vehicle_moving": (689, 154),
    "Exiting": (139, 3),
    "Loading": (13, 3),
    "Talking": (7072, 1323),
    "activity_running": (27, 6),
    "vehicle_turning_left": (217, 22),
    "vehicle_stopping": (226, 26),
    "Riding": (57, 13),
    "Closing": (178, 11),
    "activity_walking": (3782, 862),
    "Push": (12, 1),
    "specialized_using_tool": (162, 28),
    "vehicle_starting": (166, 36),
    "specialized_miscellaneous": (13, 1),
    "activity_standing": (1552, 279),
    "Transport_HeavyCarry": (938, 216),
    "activity_gesturing": (24, 5),
    "vehicle_turning_right": (152, 42),
    "specialized_talking_phone": (668, 123),
    "specialized_texting_phone": (3673, 440),
    "Misc": (47, 5),
}
