"""A plain gevent and boto3 loop, as careful users write it: one session, one client, a pool of users + 5, one attempt,
jittered starts. Run by `python -m scripts.bench.load`."""

from gevent import monkey

monkey.patch_all()

import random  # noqa: E402  after the patch
import time  # noqa: E402

import boto3  # noqa: E402
import gevent  # noqa: E402
from botocore.config import Config  # noqa: E402

from scripts.bench.child import JITTER_S, PROMPT, Records, arguments  # noqa: E402


def stream(client, call: dict, records: Records) -> None:
    start, first = time.perf_counter(), None
    answer = client.converse_stream(**call)
    for event in answer["stream"]:
        if first is None and "contentBlockDelta" in event:
            first = time.perf_counter()
    records.add(answer["ResponseMetadata"]["RequestId"], start, first, time.perf_counter())


def whole(client, call: dict, records: Records) -> None:
    start = time.perf_counter()
    answer = client.converse(**call)
    records.add(answer["ResponseMetadata"]["RequestId"], start, None, time.perf_counter())


def user(number: int, client, call: dict, records: Records, send, until: float) -> None:
    gevent.sleep(random.Random(number).uniform(0, JITTER_S))
    while time.perf_counter() < until:
        start = time.perf_counter()
        try:
            send(client, call, records)
        except Exception as e:  # every failure is a record; the loop goes on
            records.add(None, start, None, time.perf_counter(), type(e).__name__)
            gevent.sleep(0.1)


def main() -> None:
    args = arguments(__doc__)
    config = Config(max_pool_connections=args.users + 5, retries={"total_max_attempts": 1, "mode": "standard"})
    client = boto3.Session().client("bedrock-runtime", region_name="us-east-1", endpoint_url=args.url, config=config)
    call = {
        "modelId": args.model,
        "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
        "inferenceConfig": {"maxTokens": args.tokens},
    }
    records, until = Records(args.out), time.perf_counter() + args.seconds
    send = stream if args.stream else whole
    gevent.joinall([gevent.spawn(user, n, client, call, records, send, until) for n in range(args.users)])


if __name__ == "__main__":
    main()
