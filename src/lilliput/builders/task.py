"""What a recipe leaves to the data: how many labels a clip has, and the loss that goes with it."""

from lilliput.builders.losses import resolve_loss
from lilliput.config import Config
from lilliput.data import VideoDataset
from lilliput.data.task import find_task


def resolve_task(config: Config, dataset: VideoDataset) -> Config:
    """The recipe with its task, and the task's loss, settled.

    Raises:
        ConfigError: The loss is not for the task.
        DataError: The recipe wants one label per clip, and a clip has another number.
    """
    splits = filter(None, (config.data.train, config.data.val))
    task = find_task(dataset, splits, config.task)
    loss = config.loss.model_copy(update={"name": resolve_loss(config.loss, task)})
    return config.model_copy(update={"task": task, "loss": loss})
