"""Where the actor of an event is, at any moment of it."""

from bisect import bisect_right

from lilliput.watch.events import Event
from lilliput.watch.scene import Box


def box_at(event: Event, seconds: float) -> Box | None:
    """Linear between the boxes of an event, held before the first and after the last one.

    Returns:
        None for an event without boxes: it fills the picture.
    """
    boxes = event.boxes
    if not boxes:
        return None
    position = bisect_right(boxes, seconds, key=lambda at: at.seconds)
    if position == 0:
        return boxes[0].box
    if position == len(boxes):
        return boxes[-1].box
    before, after = boxes[position - 1], boxes[position]
    share = (seconds - before.seconds) / (after.seconds - before.seconds)
    sides = zip(before.box, after.box, strict=True)
    return Box(*(old + share * (new - old) for old, new in sides))


def mean_box(event: Event) -> Box | None:
    """The mean of the boxes of an event; None for one without boxes."""
    if not event.boxes:
        return None
    sides = zip(*(at.box for at in event.boxes), strict=True)
    return Box(*(sum(side) / len(event.boxes) for side in sides))
