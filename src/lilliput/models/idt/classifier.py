"""Improved dense trajectories, Fisher vectors and a linear SVM, as one model (section 2.1.1)."""

import itertools

import torch
from torch import nn

from lilliput.models.idt.extraction import Described, TrajectoryExtractor, to_brightness
from lilliput.models.idt.fisher import FisherVector
from lilliput.models.idt.flow import import_cv2

_STACKED_COMPONENTS = 64  # of the vector of a sub-volume
_WINDOWS = ((0.0, 0.5), (0.25, 0.75), (0.5, 1.0))  # of time, height and width


class Idt(nn.Module):
    """Hand-crafted features with the forward pass of a network.

    Each descriptor has a PCA to half of its numbers and a Fisher vector of its own; side by side
    they are what a linear layer reads, whose weights are those of an SVM. Stacked Fisher vectors
    (Peng et al., Action Recognition with Stacked Fisher Vectors, ECCV 2014) come beside them:
    those of the 27 half-overlapping sub-volumes of the clip, projected and encoded once more.
    (The paper projects them by a max-margin metric; here PCA does.)

    What is learned is the linear layer and, in buffers, PCA and mixtures; ``learning.py`` fits
    them. No gradient passes the linear layer.

    Args:
        num_classes: Classes K.
        extractor: From a clip to the descriptors of its trajectories.
        gaussians: Of each mixture.
        stacked: Whether stacked Fisher vectors come beside the plain ones.

    Shape:
        - Input: ``(N, 3, T, H, W)``
        - Output: ``(N, K)`` logits

    Raises:
        ConfigError: OpenCV is not installed.
    """

    def __init__(
        self,
        num_classes: int,
        extractor: TrajectoryExtractor,
        *,
        gaussians: int = 32,
        stacked: bool = False,
    ) -> None:
        super().__init__()
        import_cv2()  # told when it is built, not at its first clip
        self.extractor = extractor
        self.fisher = nn.ModuleDict(
            {
                name: FisherVector(size, size // 2, gaussians)
                for name, size in extractor.sizes.items()
            }
        )
        size = sum(encoder.out_features for encoder in self.fisher.values())  # type: ignore[misc]
        self.second = FisherVector(size, _STACKED_COMPONENTS, gaussians) if stacked else None
        self.fc = nn.Linear(
            size + (0 if self.second is None else self.second.out_features), num_classes
        )

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits of a batch of clips; on the meta device, their shape."""
        if clips.is_meta:
            vectors = clips.new_empty(len(clips), self.fc.in_features)
        else:
            vectors = torch.stack([self.encode(self.describe(clip)) for clip in clips])
        logits: torch.Tensor = self.fc(vectors.to(self.fc.weight))
        return logits

    def describe(self, clip: torch.Tensor) -> Described:
        """The trajectories of a clip (3, T, H, W)."""
        return self.extractor(to_brightness(clip))

    @torch.no_grad()
    def encode(self, described: Described) -> torch.Tensor:
        """(D,) the Fisher vectors of a clip, side by side."""
        plain = self._encode(described)[0]
        if self.second is None:
            return plain
        return torch.cat([plain, self.second(self.encode_subvolumes(described))[0]])

    @torch.no_grad()
    def encode_subvolumes(self, described: Described) -> torch.Tensor:
        """(S, D) Fisher vectors of the sub-volumes that hold a trajectory."""
        return self._encode(described, subvolume_members(torch.from_numpy(described.centers)))

    def _encode(self, described: Described, members: torch.Tensor | None = None) -> torch.Tensor:
        like = self.fc.weight
        parts = []
        for name, encoder in self.fisher.items():
            descriptors = torch.from_numpy(described.descriptors[name]).to(like)
            parts.append(encoder(descriptors, None if members is None else members.to(like)))
        return torch.cat(parts, dim=1)


def subvolume_members(centers: torch.Tensor) -> torch.Tensor:
    """Which trajectories each sub-volume holds; empty ones are left out.

    Shape:
        - centers: ``(M, 3)`` as shares of the clip
        - Output: ``(S, M)`` of 0 and 1, S up to 27
    """
    inside = torch.stack([(low <= centers) & (centers <= high) for low, high in _WINDOWS])
    time, height, width = inside.unbind(dim=2)  # each (3, M)
    members = torch.stack(
        [time[t] & height[y] & width[x] for t, y, x in itertools.product(range(3), repeat=3)]
    )
    return members[members.any(dim=1)]
