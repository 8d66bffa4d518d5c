"""Settings of hand-crafted features, and what of a recipe they have no use for."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from lilliput.config.section import Count, Section

if TYPE_CHECKING:
    from lilliput.config.sections import Config

# Of the training section; what else differs from its default would be ignored.
_USED = {"seed", "accelerator"}


class IdtConfig(Section):
    """Improved dense trajectories with Fisher vectors, section 2.1.1; lengths in input pixels."""

    flow: Literal["farneback", "dis"] = "farneback"  # dis is quicker
    compensate_camera: bool = True  # "improved": a homography's motion is taken out of the flow
    trajectory_length: Annotated[int, Field(ge=3)] = 15  # steps; less than sampling.num_frames
    step: Count = 5  # between points at their start
    patch: Annotated[int, Field(ge=4)] = 16  # side of the square around a point
    scales: Count = 3  # of the picture, each 0.71 of the one before
    min_motion: Annotated[float, Field(ge=0, lt=1)] = 0.007  # share of the side; 0: still ones, too
    gaussians: Count = 32  # of each descriptor's mixture
    stacked: bool = False  # stacked Fisher vectors of sub-volumes beside the plain ones
    svm_cost: Annotated[float, Field(gt=0)] = 100.0  # C: of an error against a wide margin


def check_idt(config: "Config") -> None:
    """Refuses what has no effect on hand-crafted features.

    Raises:
        ValueError: The recipe has such a setting.
    """
    length = config.model.idt.trajectory_length
    if length >= config.sampling.num_frames:
        raise ValueError(
            f"model.idt.trajectory_length = {length}: needs sampling.num_frames = {length + 1} or "
            f"more, not {config.sampling.num_frames}"
        )
    training = config.training
    useless = [
        f"training.{name}"
        for name, field in type(training).model_fields.items()
        if name not in _USED and getattr(training, name) != field.default
    ]
    loss = config.loss  # its name follows the task, and says what the history tells
    useless += [
        f"loss.{name}"
        for name, field in type(loss).model_fields.items()
        if getattr(loss, name) != field.default and name != "name"
    ]
    if config.augment.enabled:
        useless.append("augment.enabled")
    if config.model.normalisation == "motion":
        useless.append("model.normalisation = 'motion'")
    if useless:
        raise ValueError(
            f"model.name = 'idt' fits an SVM to whole clips as they are, and has no use for "
            f"{useless[0]}; leave it out, or start from the recipe idt: "
            "lilliput train idt --data DATA"
        )
