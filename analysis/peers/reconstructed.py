"""When requests started, where a tool's file says only how long they took, in the order in which they were sent."""

import heapq


def closed_loop(latencies_s: list[float], users: int) -> list[float]:
    """Seconds from the first send, where each request is sent as soon as one of the users is free."""
    free = [0.0] * max(1, users)
    starts = []
    for latency in latencies_s:
        start = heapq.heappop(free)
        starts.append(start)
        heapq.heappush(free, start + latency)
    return starts


def open_loop(requests: int, rate: float) -> list[float]:
    """Seconds from the first send, evenly: how they were drawn is not known."""
    return [n / rate for n in range(requests)]
