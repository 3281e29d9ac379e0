"""What the page of the bench shows, in an order that sets next to each other what is compared; about eleven minutes at 5 s each."""

import typing

from scripts.bench.measurements import Part

BUILDS = ("before", "ours")
CHATS = ("before-openai", "ours-openai", "fasthttp-openai")
PEERS = ("boto3-loop", "fasthttp", "genai-bench", "llmeter", "guidellm", "aiperf")
CLIMBERS = BUILDS  # whose most streams are sought
USUAL, MANY = 200, (400, 600)


def parts(known: typing.Collection[str]) -> list[Part]:
    """Of the clients that are known."""

    def part(names: tuple[str, ...], levels: tuple[int, ...], stream: bool, tls: bool = False) -> Part:
        return Part([name for name in names if name in known], levels, stream, tls)

    return [
        part((*BUILDS, "boto3-loop", "fasthttp"), (20,), False),
        part(CHATS, (20,), False),
        part((*BUILDS, "boto3-loop"), (20,), False, True),
        part(BUILDS, (1, 20), True),
        part((*BUILDS, *CHATS, *PEERS), (USUAL,), True),
        part(BUILDS, MANY, True),
        part(BUILDS, (USUAL, MANY[0]), True, True),
    ]
