"""What lies in a window: spans by their share, and how many were in flight."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.runs.window_share import in_flight, share

SPANS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), max_size=30)


def slow_share(start: float, end: float, a: float, b: float) -> float:
    if end == start:
        return 1.0 if a <= start < b else 0.0
    return max(0.0, min(end, b) - max(start, a)) / (end - start)


def test_a_span_counts_by_its_share_in_the_window():
    #                 before  across a  inside  across b  around  after
    start = np.array([1.0, 8.0, 12.0, 18.0, 5.0, 20.0])
    end = np.array([9.0, 12.0, 16.0, 22.0, 25.0, 21.0])
    # 0, 2 of 4 s, all, 2 of 4 s, 10 of 20 s, 0
    assert share(start, end, 10.0, 20.0).tolist() == [0.0, 0.5, 1.0, 0.5, 0.5, 0.0]
    # (0 + 2 + 4 + 2 + 10 + 0) s / 10 s
    assert in_flight(start, end, 10.0, 20.0) == pytest.approx(1.8)


def test_a_span_without_length_counts_whole_where_it_stands():
    at = np.array([9.9, 10.0, 15.0, 20.0])  # the window is [10, 20)
    assert share(at, at, 10.0, 20.0).tolist() == [0.0, 1.0, 1.0, 0.0]


@given(SPANS, st.floats(0, 100), st.floats(0.1, 50))
def test_shares_agree_with_a_plain_loop(spans, a, length):
    start = np.array([s for s, _ in spans])
    end = np.array([s + d for s, d in spans])
    expected = [slow_share(s, e, a, a + length) for s, e in zip(start, end, strict=True)]
    assert share(start, end, a, a + length) == pytest.approx(expected, abs=1e-9)


@given(SPANS, st.floats(0, 100), st.floats(0.1, 50))
def test_adjacent_windows_share_every_span_out_whole(spans, middle, _):
    start = np.array([s for s, _ in spans])
    end = np.array([s + d for s, d in spans])
    both = share(start, end, -1.0, middle) + share(start, end, middle, 1000.0)
    assert both == pytest.approx(np.ones(len(spans)), abs=1e-9)


@given(SPANS, st.floats(0, 100), st.floats(1, 50))
def test_in_flight_agrees_with_counting_at_every_change(spans, a, length):
    b = a + length
    start = np.array([s for s, _ in spans])
    end = np.array([s + d for s, d in spans])
    edges = sorted({a, b, *(t for t in [*start, *end] if a < t < b)})
    area = sum(
        (y - x) * sum(s <= x and y <= e for s, e in zip(start, end, strict=True)) for x, y in itertools.pairwise(edges)
    )
    assert in_flight(start, end, a, b) == pytest.approx(area / length, abs=1e-9)
