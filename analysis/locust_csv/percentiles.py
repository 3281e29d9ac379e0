"""Whether a history's percentiles may be over the whole run so far, as those of Locust 1.2 to 2.2.1 are."""

from analysis.locust_csv.sheets import number

ROUNDED = 0.06  # relative: Locust rounds to two digits, which moves a value by up to 5 %
APART = 0.25  # of the median, which is taken at another rank than the 50 % column


class WholeRun:
    """Looks at every row: a percentile over the last ~10 s sooner or later leaves the median and maximum of all.

    Not by the version, which the files do not name. Where nothing tells them apart, a step's may be those of the step before.
    """

    def __init__(self) -> None:
        self.disproved = False

    def see(self, row: dict[str, str], requests: int) -> None:
        """A row of the history, its columns in lower case. Raises ValueError."""
        if self.disproved or not requests:
            return
        pairs = (("50%", "total median response time", APART), ("100%", "total max response time", ROUNDED))
        for column, of_all, far in pairs:
            recent, whole = row.get(column, ""), row.get(of_all, "")
            if recent not in ("", "N/A") and whole not in ("", "N/A", "None"):
                a, b = number(recent), number(whole)
                self.disproved = self.disproved or abs(a - b) > far * max(b, 20)
