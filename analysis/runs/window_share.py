"""What part of a span of time lies in the measured window [a, b): the credit rule of every rate."""

import numpy as np


def overlap(start: np.ndarray, end: np.ndarray, a: float, b: float) -> np.ndarray:
    """Seconds of each span [start, end] inside [a, b)."""
    return np.clip(np.minimum(end, b) - np.maximum(start, a), 0.0, None)


def share(start: np.ndarray, end: np.ndarray, a: float, b: float) -> np.ndarray:
    """Each span's share inside [a, b), 0..1; a span without length counts whole where it stands."""
    length = end - start
    inside = overlap(start, end, a, b) / np.where(length > 0, length, 1.0)
    point = (start >= a) & (start < b)
    return np.where(length > 0, np.minimum(inside, 1.0), point.astype(float))


def in_flight(start: np.ndarray, end: np.ndarray, a: float, b: float) -> float:
    """Time-weighted mean number of spans open during [a, b)."""
    return float(overlap(start, end, a, b).sum() / (b - a))
