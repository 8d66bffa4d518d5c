"""A front end and a network that learn together, from both losses (thesis section 5.1).

As the authors of TinyVIRAT do with their generator (Demir et al., ICPR 2020): the clip in the
network's input size is the true picture, and its degraded version is what the front end is given.
"""

import torch

from lilliput.models.super_resolution.front_end import FrontEnd
from lilliput.training.super_resolution.losses import enlarge_and_compare
from lilliput.video.degradation import Degradation


class JointSuperResolution:
    """Degrades training clips and compares what the front end makes of them with what they were.

    Args:
        weight: Of the super-resolution loss beside that of recognition.
        degradation: What makes clips small.
    """

    def __init__(self, weight: float, degradation: Degradation) -> None:
        self.weight = weight
        self.degradation = degradation

    def __call__(self, model: FrontEnd, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network is to see, and the weighted loss of the front end.

        Args:
            model: With a learned front end.
            clips: (N, 3, T, S, S), normalised, in the network's input size.

        Returns:
            (N, 3, T, S, S), normalised; and a scalar.
        """
        true = model.to_pixels(clips).clamp(0, 1)
        # One draw of torch's own generator, which the training has seeded for this very step.
        generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        made, loss = enlarge_and_compare(model.enlarge, self.degradation(true, generator), true)
        return model.to_clips(made), self.weight * loss
