"""How sure a mean is, and whether two settings differ: the bootstrap and the paired randomisation test.

Both draw with a fixed seed, so the same values give the same figures. Bootstrap: Efron (1979), percentile interval;
randomisation test for rankings: Smucker, Allan and Carterette (2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 10_000
_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95% interval over questions."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the second of two settings is on the same questions; `p` is two-sided."""

    mean: float
    low: float
    high: float
    p: float
    better: int
    worse: int
    n: int


def estimate(values: Sequence[float], seed: int = 0) -> Estimate | None:
    """The mean of `values` with its interval; None where there are none."""
    if not len(values):
        return None
    array = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(_resampled(array, seed), [0.025, 0.975])
    return Estimate(_round(array.mean()), _round(low), _round(high), len(array))


def compare(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Difference | None:
    """`second` minus `first`, question by question; None where there are none. Raises ValueError on unequal lengths."""
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values cannot be paired with {len(second)}")
    if not len(first):
        return None
    apart = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    low, high = np.quantile(_resampled(apart, seed), [0.025, 0.975])
    # Under the null hypothesis each question's difference might as well have had the other sign.
    generator = np.random.default_rng(seed)
    reached = 0
    for draws in _batches(len(apart)):
        signs = generator.integers(0, 2, size=(draws, len(apart)), dtype=np.int8) * 2 - 1
        reached += int((np.abs(signs @ apart) >= abs(apart.sum()) - 1e-12).sum())
    return Difference(
        _round(apart.mean()), _round(low), _round(high), _round((reached + 1) / (DRAWS + 1)),
        int((apart > 1e-12).sum()), int((apart < -1e-12).sum()), len(apart),
    )  # fmt: skip


def _resampled(values: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    means = [
        values[generator.integers(0, len(values), size=(draws, len(values)))].mean(axis=1)
        for draws in _batches(len(values))
    ]
    return np.concatenate(means)


def _batches(n: int) -> list[int]:
    size = max(1, min(DRAWS, _AT_ONCE // n))
    return [size] * (DRAWS // size) + ([DRAWS % size] if DRAWS % size else [])


def _round(value: float) -> float:
    return round(float(value), 5)
