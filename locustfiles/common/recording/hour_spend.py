"""How long each target is under load, as the report counts it: what is billed by the hour is paid for from a first send to the
last end, anew each time that another target had its turn between."""

LATE_S = 5.0  # a record is here within so many seconds after its call, whatever its worker's clock says


class HourSpend:
    """Unix seconds, this process's clock."""

    def __init__(self) -> None:
        self._spells: dict[str, list[list[float]]] = {}  # target -> begin and end of each
        self._turn: set[str] = set()  # whose it is
        self._begun = 0.0  # that turn
        self.together: frozenset[str] = frozenset()  # targets that are under load at the same time: their turn is one

    def took(self, target: str, started_at: float, latency_s: float, now: float) -> None:
        """A call of it is over. started_at: by its worker's clock."""
        begin = min(max(started_at, now - latency_s - LATE_S), now - latency_s)
        self.under_load(target, begin, begin + latency_s)

    def under_load(self, target: str, begin: float, end: float) -> None:
        """All this time. What comes late, of a target whose turn is over, belongs to that turn."""
        spells = self._spells.setdefault(target, [])
        if spells and (target in self._turn or begin < self._begun):
            spells[-1] = [min(spells[-1][0], begin), max(spells[-1][1], end)]
            return
        spells.append([begin, end])
        if target in self.together and self._turn and self._turn <= self.together:
            self._turn.add(target)
        else:
            self._turn, self._begun = {target}, begin

    def seconds(self, target: str) -> float:
        return sum(end - begin for begin, end in self._spells.get(target, []))
