"""Fisher vectors against loops, and PCA and mixtures against scikit-learn."""

import math

import numpy as np
import pytest
import torch

pytest.importorskip("sklearn", reason="the extra lilliput[idt] is not installed")
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from lilliput.errors import DataError
from lilliput.models.idt.fisher import FisherVector
from lilliput.models.idt.learning import fit_fisher


@pytest.fixture(scope="module")
def descriptors() -> np.ndarray:
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(3, 6)) * 3
    return np.concatenate([rng.normal(center, 1, (80, 6)) for center in centers])


@pytest.fixture(scope="module")
def encoder(descriptors: np.ndarray) -> FisherVector:
    encoder = FisherVector(6, 4, 3)
    fit_fisher(encoder, descriptors, seed=0)
    return encoder.double()


def naive(x: np.ndarray, w: np.ndarray, mu: np.ndarray, var: np.ndarray) -> np.ndarray:
    """Sanchez et al. 2013, algorithm 1, number by number."""
    gaussians, size = mu.shape
    by_mean, by_deviation = np.zeros((gaussians, size)), np.zeros((gaussians, size))
    for one in x:
        density = [
            w[k]
            * math.prod(
                math.exp(-((one[d] - mu[k, d]) ** 2) / (2 * var[k, d]))
                / math.sqrt(2 * math.pi * var[k, d])
                for d in range(size)
            )
            for k in range(gaussians)
        ]
        for k in range(gaussians):
            posterior = density[k] / sum(density)
            for d in range(size):
                u = (one[d] - mu[k, d]) / math.sqrt(var[k, d])
                by_mean[k, d] += posterior * u / (len(x) * math.sqrt(w[k]))
                by_deviation[k, d] += posterior * (u * u - 1) / (len(x) * math.sqrt(2 * w[k]))
    vector = np.concatenate([by_mean.ravel(), by_deviation.ravel()])
    vector = np.sign(vector) * np.sqrt(np.abs(vector))
    return vector / np.linalg.norm(vector)


def test_against_loops(encoder: FisherVector, descriptors: np.ndarray) -> None:
    some = torch.from_numpy(descriptors[::7])
    expected = naive(
        encoder.project(some).numpy(),
        encoder.weights.numpy(),
        encoder.means.numpy(),
        encoder.variances.numpy(),
    )
    found = encoder(some)[0].numpy()
    assert found.shape == (encoder.out_features,) == (24,)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_pca_and_probabilities_are_scikit_learns(
    encoder: FisherVector, descriptors: np.ndarray
) -> None:
    pca = PCA(4, random_state=0).fit(descriptors)
    projected = pca.transform(descriptors)
    mixture = GaussianMixture(
        3, covariance_type="diag", reg_covar=1e-4, max_iter=50, init_params="k-means++",
        random_state=0,
    ).fit(projected)  # fmt: skip
    ours = encoder.project(torch.from_numpy(descriptors))
    np.testing.assert_allclose(ours.numpy(), projected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        encoder.posteriors(ours).numpy(), mixture.predict_proba(projected), atol=1e-4
    )


def test_groups_are_encoded_as_if_alone(encoder: FisherVector, descriptors: np.ndarray) -> None:
    some = torch.from_numpy(descriptors[:9])
    members = torch.zeros(3, 9, dtype=torch.float64)
    members[0, :4] = members[1, 2:] = 1
    vectors = encoder(some, members)
    torch.testing.assert_close(vectors[0], encoder(some[:4])[0])
    torch.testing.assert_close(vectors[1], encoder(some[2:])[0])
    assert not vectors[2].any()


def test_of_no_descriptors_it_is_zero(encoder: FisherVector) -> None:
    assert not encoder(torch.zeros(0, 6, dtype=torch.float64)).any()


def test_too_few_descriptors_are_told() -> None:
    with pytest.raises(DataError, match="hold 5 trajectories or sub-volumes, too few for 3 Gauss"):
        fit_fisher(FisherVector(6, 4, 3), np.zeros((5, 6)), seed=0)
