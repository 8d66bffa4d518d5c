"""What the pictures of a report have in common."""

from matplotlib.axes import Axes

# Told apart with any color vision (Okabe and Ito, 2008).
GREEN, ORANGE, BLUE, GREY = "#009e73", "#e69f00", "#0072b2", "#c8c8c8"


def tidy(axes: Axes) -> None:
    """A light grid behind the data, and no frame."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
