"""Correction for several tests at once.

References:
    Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics
    6:65.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alignbench.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["holm"]


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjustment: reject where the adjusted p is at most alpha, and the family-wise error is
    alpha.

    The same numbers as statsmodels' `multipletests`, which collects garbage for 70 ms at each call.

    Args:
        p: p-values of one family, shape (m,); m may be 0.

    Returns:
        Adjusted p-values, in the order of `p`.

    Raises:
        InputError: Not a vector of numbers in [0, 1].
    """
    raw = np.asarray(p, dtype=float)
    if raw.ndim != 1 or not ((raw >= 0) & (raw <= 1)).all():
        raise InputError(f"p-values {p!r}", allowed="a vector of numbers in [0, 1]")
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
