"""The events of each request in a vllm bench file: `ttfts[i]` is the first event with choices, `itls[i]` the gaps to the next ones."""

import itertools

from analysis.peers.event_streams import Answer, Stream, told_apart
from analysis.peers.nodes import Node

_CLOSING = 1  # the one with the finish reason; that with the usage has no choices


def streams_of(document: Node, chat: bool) -> list[Stream]:
    """Of every request, in the file's order. Raises Misshapen for lists of different lengths."""
    latencies, ttfts = document.get("latencies").numbers(), document.get("ttfts").numbers()
    itls = [item.numbers() for item in document.get("itls").items()]
    counted = [item.count() for item in document.get("output_lens").items()]
    lengths = {len(each) for each in (latencies, ttfts, itls, counted) if each}
    if len(lengths) > 1:
        raise document.origin.misshapen(
            f"its per-request lists have different lengths ({', '.join(map(str, sorted(lengths)))})"
        )
    failed = [bool(each.value) for each in document.get("errors").items()]
    n = max(lengths, default=0)
    ttfts, itls = ttfts or [0.0] * n, itls or [[] for _ in range(n)]
    failed += [False] * (n - len(failed))
    latencies = latencies or [0.0 if failed[i] else ttfts[i] + sum(itls[i]) for i in range(n)]
    outputs = counted or [None] * n
    answers = [Answer(latencies[i], _times(ttfts[i], itls[i]), outputs[i], failed[i]) for i in range(n)]
    return told_apart(answers, chat, _CLOSING)


def _times(ttft_s: float, gaps_s: list[float]) -> list[float]:
    """Of its events; none of a request that got none."""
    return list(itertools.accumulate(gaps_s, initial=ttft_s)) if ttft_s or gaps_s else []
