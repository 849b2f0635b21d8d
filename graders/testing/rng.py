"""Random inputs for tests: unpredictable for a submission, repeatable for the instructor."""

import hashlib
from typing import Any

import numpy as np
import torch


class Rng:
    """Draws inputs from a seed that is derived from the run's secret seed and the test's id.

    Args:
        parts: what the stream depends on; equal parts give equal draws.
    """

    def __init__(self, *parts: object) -> None:
        digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
        self.numpy = np.random.default_rng(int.from_bytes(digest[:16], "little"))

    def normal(self, *shape: int, n: int = 1, scale: float = 1.0, dtype: torch.dtype = torch.float32) -> Any:
        """One tensor of `shape` (or a tuple of `n`) of normal numbers with standard deviation `scale`."""
        return self._draw(n, lambda: torch.from_numpy(np.asarray(scale * self.numpy.standard_normal(shape))).to(dtype))

    def uniform(
        self, *shape: int, low: float = 0.0, high: float = 1.0, n: int = 1, dtype: torch.dtype = torch.float32
    ) -> Any:
        """One tensor of `shape` (or a tuple of `n`) of numbers in [low, high)."""

        def one() -> torch.Tensor:
            drawn = torch.from_numpy(np.asarray(self.numpy.uniform(low, high, shape))).to(dtype)
            return drawn.masked_fill(drawn >= high, low)  # rounding may reach `high`

        return self._draw(n, one)

    def integers(self, low: int, high: int, *shape: int) -> torch.Tensor:
        """An int64 tensor of `shape` with values in [low, high)."""
        return torch.from_numpy(np.asarray(self.numpy.integers(low, high, shape)))

    def boolean(self, *shape: int, p: float = 0.5) -> torch.Tensor:
        """A boolean tensor of `shape`, True with probability `p`."""
        return torch.from_numpy(np.asarray(self.numpy.random(shape) < p))

    def permutation(self, size: int) -> torch.Tensor:
        """A random order of 0 … size - 1, int64."""
        return torch.from_numpy(self.numpy.permutation(size))

    def array(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        """A float64 NumPy array of `shape` of normal numbers."""
        return scale * self.numpy.standard_normal(shape)

    def seed(self) -> int:
        """A fresh seed for a generator that a probe makes inside the sandbox."""
        return int(self.numpy.integers(0, 2**31))

    def choice(self, *options: Any) -> Any:
        """One of `options`."""
        return options[int(self.numpy.integers(len(options)))]

    @staticmethod
    def _draw(n: int, one: Any) -> Any:
        return one() if n == 1 else tuple(one() for _ in range(n))
