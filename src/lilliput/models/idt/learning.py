"""PCA, mixtures of Gaussians and a linear SVM, fitted by scikit-learn.

Sources: Platt, Probabilistic Outputs for Support Vector Machines, 1999; Guo et al., On Calibration
of Modern Neural Networks, ICML 2017 (temperature).
"""

import warnings
from typing import Any

import numpy as np
import torch

from lilliput.errors import ConfigError, DataError
from lilliput.models.idt.fisher import FisherVector
from lilliput.task import Task

_EXTRA = "pip install 'lilliput[idt]'"
_ITERATIONS = 50  # of expectation maximization
_MIN_VARIANCE = 1e-4
_FOLDS = 5
_MAX_SLOPE = 50.0  # where clips are told apart without an error, any is as likely


def import_sklearn() -> Any:
    """scikit-learn, with what is used of it.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import sklearn
        import sklearn.decomposition
        import sklearn.exceptions
        import sklearn.linear_model
        import sklearn.mixture
        import sklearn.model_selection
        import sklearn.svm
    except ImportError:
        raise ConfigError(f"hand-crafted features are fitted by scikit-learn: {_EXTRA}") from None
    return sklearn


def fit_fisher(encoder: FisherVector, descriptors: np.ndarray, *, seed: int) -> None:
    """Fits PCA and the mixture, in place.

    Args:
        encoder: Says how many components and Gaussians.
        descriptors: (M, in_features).
        seed: Of the mixture's start.

    Raises:
        DataError: There are too few descriptors.
    """
    sklearn = import_sklearn()
    gaussians, components = encoder.means.shape
    if len(descriptors) < max(2 * gaussians, components + 1):
        raise DataError(
            f"the training clips hold {len(descriptors)} trajectories or sub-volumes, too few for "
            f"{gaussians} Gaussians of {components} numbers; give more clips, a larger "
            "model.input_size, a smaller model.idt.min_motion or fewer model.idt.gaussians"
        )
    pca = sklearn.decomposition.PCA(components, random_state=seed).fit(descriptors)
    mixture = sklearn.mixture.GaussianMixture(
        gaussians, covariance_type="diag", reg_covar=_MIN_VARIANCE, max_iter=_ITERATIONS,
        init_params="k-means++", random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():  # a mixture that is still moving a little serves as well
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        mixture.fit(pca.transform(descriptors).astype(np.float64))
    for buffer, value in (
        (encoder.center, pca.mean_),
        (encoder.projection, pca.components_),
        (encoder.weights, mixture.weights_),
        (encoder.means, mixture.means_),
        (encoder.variances, mixture.covariances_),
    ):
        buffer.copy_(torch.from_numpy(np.asarray(value)))


def fit_svm(
    vectors: np.ndarray,
    targets: np.ndarray,
    groups: np.ndarray,
    task: Task,
    *,
    cost: float,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """A linear SVM, each class against the rest, whose decisions are made logits.

    Held-out decisions, from folds of whole groups, say how: by a slope and an offset for each
    class where a clip has any number of labels (Platt), by one slope for all where it has one
    (temperature), so that the most likely class stays the SVM's.

    Args:
        vectors: (N, D).
        targets: (N, K) of 0 and 1.
        groups: (N,) such as recordings; folds keep each whole.
        task: How many labels a clip has.
        cost: C of the SVM: how much an error costs against a wide margin.
        seed: Of solver and folds.

    Returns:
        Weights (K, D) and offsets (K,) of the logits.
    """
    rotated, back = _rotate(np.asarray(vectors, np.float64))
    targets = np.asarray(targets) > 0.5
    weights, offsets = _fit_all(rotated, targets, cost, seed)
    decisions = _held_out_decisions(rotated, targets, groups, cost, seed)
    slopes, shifts = _calibrate(decisions, targets, task)
    return (slopes[:, None] * weights) @ back, slopes * offsets + shifts


def _rotate(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vectors in the coordinates of the space they span, and the way back.

    An SVM's weights are a sum of its vectors, so that nothing is lost, and it is fitted on N
    numbers instead of D.
    """
    count, size = vectors.shape
    if size <= count:
        return vectors, np.eye(size)
    values, axes = np.linalg.eigh(vectors @ vectors.T)
    kept = values > 1e-9 * max(values.max(), 1e-12)
    lengths = np.sqrt(values[kept])
    return axes[:, kept] * lengths, (axes[:, kept] / lengths).T @ vectors


def _fit_all(
    vectors: np.ndarray, targets: np.ndarray, cost: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (K, D) and offsets (K,); of a class that all clips or none have, the sign alone."""
    sklearn = import_sklearn()
    weights = np.zeros((targets.shape[1], vectors.shape[1]))
    offsets = np.where(targets.all(axis=0), 1.0, -1.0)
    for index, positive in enumerate(targets.T):
        if positive.any() and not positive.all():
            svm = sklearn.svm.LinearSVC(C=cost, random_state=seed)
            with warnings.catch_warnings():  # the last digits matter to no score
                warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
                svm.fit(vectors, positive)
            weights[index], offsets[index] = svm.coef_[0], svm.intercept_[0]
    return weights, offsets


def _held_out_decisions(
    vectors: np.ndarray, targets: np.ndarray, groups: np.ndarray, cost: float, seed: int
) -> np.ndarray | None:
    """(N, K) decisions of SVMs that have not seen a clip's group; None of a single group."""
    count = min(_FOLDS, len(np.unique(groups)))
    if count < 2:
        return None
    decisions = np.empty(targets.shape)
    folds = import_sklearn().model_selection.GroupKFold(count, shuffle=True, random_state=seed)
    for learned, held_out in folds.split(vectors, groups=groups):
        weights, offsets = _fit_all(vectors[learned], targets[learned], cost, seed)
        decisions[held_out] = vectors[held_out] @ weights.T + offsets
    return decisions


def _calibrate(
    decisions: np.ndarray | None, targets: np.ndarray, task: Task
) -> tuple[np.ndarray, np.ndarray]:
    """(K,) slopes and (K,) offsets that make logits of decisions."""
    num_classes = targets.shape[1]
    slopes, shifts = np.ones(num_classes), np.zeros(num_classes)
    if decisions is None:
        return slopes, shifts
    if task == "single":
        return slopes * _fit_temperature(decisions, targets), shifts
    for index in range(num_classes):
        positive = targets[:, index]
        if positive.any() and not positive.all():
            slopes[index], shifts[index] = _fit_platt(decisions[:, index], positive)
    return slopes, shifts


def _fit_platt(decisions: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the likeliest sigmoid; a slope that would turn the order is made flat."""
    model = import_sklearn().linear_model.LogisticRegression(C=1e3)
    model.fit(decisions[:, None], positive)
    slope = float(model.coef_[0, 0])
    if slope > 0:
        return slope, float(model.intercept_[0])
    share = positive.mean()
    return 1e-3, float(np.log(share / (1 - share)))


def _fit_temperature(decisions: np.ndarray, targets: np.ndarray) -> float:
    """The slope under which the softmax makes the labels likeliest."""
    from scipy.optimize import minimize_scalar  # comes with scikit-learn
    from scipy.special import log_softmax

    def loss(log_slope: float) -> float:
        likely = log_softmax(np.exp(log_slope) * decisions, axis=1)
        return -float(likely[targets].mean())

    bounds = (-np.log(_MAX_SLOPE), np.log(_MAX_SLOPE))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
