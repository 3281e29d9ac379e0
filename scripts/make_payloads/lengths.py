"""How long prompts are: counts by length in little memory, their spread, and a picture of it."""

import collections
import pathlib

import numpy as np

from locustfiles.contract.bad_input import BadInput

DIGITS = 3  # lengths are kept to so many significant ones


class Lengths:
    """unit: `tokens` or `characters`."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self._counts: collections.Counter[int] = collections.Counter()

    def add(self, length: int) -> None:
        self._counts[_rounded(length)] += 1

    @property
    def n(self) -> int:
        return self._counts.total()

    def spread(self) -> dict[str, int]:
        """min, quartiles, p95 and max; of each the least length that so many are not longer than. Empty of none."""
        if not self._counts:
            return {}
        wanted = {"min": 0.0, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "max": 1.0}
        lengths, counts = zip(*self._counts.items(), strict=True)
        found = np.quantile(lengths, list(wanted.values()), method="inverted_cdf", weights=counts)
        return dict(zip(wanted, found.tolist(), strict=True))

    def draw(self, path: pathlib.Path, title: str) -> None:
        """A histogram as PNG. Raises BadInput where it cannot be written."""
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
        lengths = sorted(self._counts)
        axes.hist(lengths, bins=min(50, len(lengths)), weights=[self._counts[n] for n in lengths], color="#2a6f97")
        axes.set(xlabel=f"prompt ({self.unit})", ylabel="prompts", title=title)
        axes.spines[["top", "right"]].set_visible(False)
        try:
            figure.savefig(path, dpi=120)
        except OSError as e:
            raise BadInput(f"{path}: cannot be written ({e.strerror}); choose another place with --out") from None
        finally:
            plt.close(figure)


def _rounded(length: int) -> int:
    if length < 10**DIGITS:
        return length
    step = 10 ** (len(str(length)) - DIGITS)
    return round(length / step) * step
