"""What is done to vectors everywhere."""

import numpy as np

from ml.types import Vectors


def unit(vectors: Vectors) -> Vectors:
    """Each row of float32[n, d], or the one float32[d], of length one; nothing stays nothing."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)
