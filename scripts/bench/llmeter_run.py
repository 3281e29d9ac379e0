"""llmeter's Runner with its Bedrock endpoint, as its guide shows. It writes responses.jsonl itself.
Run by `python -m scripts.bench.load` in llmeter's environment."""

import asyncio
import pathlib

from llmeter.endpoints.bedrock import BedrockConverse, BedrockConverseStream
from llmeter.runner import Runner

from scripts.bench.child import PROMPT, arguments


def main() -> None:
    args = arguments(__doc__)
    endpoint = (BedrockConverseStream if args.stream else BedrockConverse)(model_id=args.model, region="us-east-1")
    payload = endpoint.create_payload(PROMPT, max_tokens=args.tokens)
    runner = Runner(
        endpoint=endpoint,
        output_path=str(pathlib.Path(args.out).parent),
        disable_per_client_progress_bar=True,
        disable_clients_progress_bar=True,
    )
    asyncio.run(runner.run(payload=payload, clients=args.users, run_duration=args.seconds, run_name="llmeter"))


if __name__ == "__main__":
    main()
