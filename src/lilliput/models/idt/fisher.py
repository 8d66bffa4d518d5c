"""Fisher vectors: any number of descriptors as one vector.

Sources: Perronnin et al., Improving the Fisher Kernel for Large-Scale Image Classification, ECCV
2010; Sanchez et al., Image Classification with the Fisher Vector, IJCV 2013.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


class FisherVector(nn.Module):
    """Projects descriptors by PCA and tells how they differ from a mixture of Gaussians.

    For each Gaussian: the gradients of the log-likelihood by its mean and by its deviation,
    averaged over the descriptors and whitened by the square root of its weight. Then the signed
    square root of every number, and the L2 norm 1 ("improved"). Of no descriptors it is zero.

    Args:
        in_features: Numbers of a descriptor.
        components: Numbers that PCA leaves.
        gaussians: Of the mixture, with diagonal covariances.

    Attributes:
        center: (in_features,) subtracted by PCA.
        projection: (components, in_features) of PCA.
        weights: (gaussians,) of the mixture, as its means and variances (gaussians, components).
    """

    center: torch.Tensor
    projection: torch.Tensor
    weights: torch.Tensor
    means: torch.Tensor
    variances: torch.Tensor

    def __init__(self, in_features: int, components: int, gaussians: int) -> None:
        super().__init__()
        self.out_features = 2 * gaussians * components
        self.register_buffer("center", torch.zeros(in_features))
        self.register_buffer("projection", torch.eye(components, in_features))
        self.register_buffer("weights", torch.full((gaussians,), 1 / gaussians))
        self.register_buffer("means", torch.randn(gaussians, components))
        self.register_buffer("variances", torch.ones(gaussians, components))

    def project(self, descriptors: torch.Tensor) -> torch.Tensor:
        """PCA: (M, in_features) to (M, components)."""
        return (descriptors - self.center) @ self.projection.T

    def posteriors(self, projected: torch.Tensor) -> torch.Tensor:
        """(M, gaussians) how probably each Gaussian made each descriptor."""
        precision = 1 / self.variances
        distance = (  # (M, G), without the differences of every pair in memory
            projected.square() @ precision.T
            - 2 * projected @ (self.means * precision).T
            + (self.means.square() * precision).sum(dim=1)
        )
        log_density = self.weights.log() - 0.5 * (distance + self.variances.log().sum(dim=1))
        return log_density.softmax(dim=1)

    def forward(
        self, descriptors: torch.Tensor, members: torch.Tensor | None = None
    ) -> torch.Tensor:
        """One vector for each group of descriptors.

        Args:
            descriptors: M of them.
            members: Which descriptors each group has; None puts all in one.

        Shape:
            - descriptors: ``(M, in_features)``
            - members: ``(S, M)`` of 0 and 1
            - Output: ``(S, 2 * gaussians * components)``
        """
        if members is None:
            members = descriptors.new_ones(1, len(descriptors))
        projected = self.project(descriptors)
        shares = torch.einsum("sm,mg->smg", members, self.posteriors(projected))
        count = members.sum(dim=1).clamp(min=1)[:, None, None]
        zeroth = shares.sum(dim=1)[..., None]  # (S, G, 1)
        first = torch.einsum("smg,md->sgd", shares, projected)
        second = torch.einsum("smg,md->sgd", shares, projected.square())
        deviation, root = self.variances.sqrt(), self.weights.sqrt()[:, None]
        by_mean = (first - zeroth * self.means) / (deviation * root * count)
        by_deviation = (
            (second - 2 * self.means * first + zeroth * self.means.square()) / self.variances
            - zeroth
        ) / (math.sqrt(2) * root * count)
        vectors = torch.cat([by_mean, by_deviation], dim=1).flatten(1)
        return F.normalize(vectors.sign() * vectors.abs().sqrt(), dim=1)
