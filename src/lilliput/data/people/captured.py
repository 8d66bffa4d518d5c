"""Takes of motion capture, by what their names and texts say."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from lilliput.data.motion.skeleton import Motion
from lilliput.data.people.keyed import Span, Take

# Texts of CMU's and KayKit's takes; the first that fits counts. Without a label: people who do
# something else.
_LABELS = (
    (r"dance|sword|basketball_signal|traffic|wash|idle hold|cheer|taunt|sit_ups|push_ups", ()),
    (r"ranged|melee_(1h|2h|block|dual)|spell|spawn|awaken|transform|dodge|resurrect|strafe", ()),
    (r"playground", ()),  # climbing, hanging, sitting: its text does not say when
    (r"unarmed_attack_kick|soccer|kick", ("kicking",)),
    (r"unarmed_attack_punch|punch|strike|boxing", ("hitting",)),
    (r"throw|toss", ("throwing",)),
    (r"pickup|pick up|scoop", ("picking_up", "bending")),
    (r"sit_(chair|floor)_down", ("sitting_down",)),
    (r"sit_(chair|floor)_standup|lie_standup", ("standing_up",)),
    (r"sit_(chair|floor)_idle", ("sitting",)),
    (r"lie_idle", ("lying",)),
    (r"death", ("falling",)),
    (r"crawl", ("crawling",)),
    (r"crouch|squat", ("crouching",)),
    (r"wav(e|ing)", ("waving",)),
    (r"jump_(idle|land|start)", ()),
    (r"jump|hop|leap", ("jumping",)),
    (r"run|jog|sprint", ("running",)),
    (r"walk|stroll|sneak", ("walking",)),
    (r"idle(?!.*(bow|melee))|^stand", ("standing",)),
)


class Captured:
    """Motion capture, to draw takes from.

    Args:
        motions: Takes of at least half a second are used.
    """

    def __init__(self, motions: Sequence[Motion]) -> None:
        self._takes: dict[str, list[Take]] = {}
        for motion in motions:
            labels = find_labels(f"{motion.name} {motion.text}")
            if labels is None or len(motion) < 15:
                continue
            take = Take(motion, tuple(Span(label, 0, len(motion)) for label in labels))
            self._takes.setdefault(labels[0] if labels else "", []).append(take)

    @property
    def counts(self) -> Mapping[str, int]:
        """Takes of each label; those of none under the empty name."""
        return {label: len(takes) for label, takes in self._takes.items()}

    def draw(self, rng: np.random.Generator, label: str) -> Take | None:
        """A take of an action, ``""`` for one without a label; None where there is none."""
        takes = self._takes.get(label)
        return takes[rng.integers(len(takes))] if takes else None


def find_labels(text: str) -> tuple[str, ...] | None:
    """What is done in a take with this text; None if that cannot be told."""
    for pattern, labels in _LABELS:
        if re.search(pattern, text.lower()):
            return labels
    return None
