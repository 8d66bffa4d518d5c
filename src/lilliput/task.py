"""How many labels a clip has, which decides how logits, scores and labels belong together."""

from typing import Literal

# single: every clip has one label; its scores are probabilities that sum to 1.
# multi: a clip has any number of labels, each with a score of its own.
Task = Literal["single", "multi"]

IN_WORDS: dict[Task, str] = {
    "single": "one label per clip",
    "multi": "any number of labels per clip",
}
