"""genai-bench's own command line with its Bedrock user, unchanged but for a note of each answer's times and request id.
Run by `python -m scripts.bench.load` in genai-bench's environment."""

import pathlib
import sys
import tempfile
import threading

from scripts.bench.child import ACCESS_KEY, PROMPT, SECRET_KEY, Records, arguments
from scripts.clients.small_tokenizer import make_tokenizer


def note_answers(records: Records) -> None:
    """Times are the ones that genai-bench took; the id is that of the same greenlet's last answer."""
    import boto3
    from genai_bench.user.base_user import BaseUser

    last = threading.local()  # greenlet-local: locust has patched it
    client_of, collect_of = boto3.Session.client, BaseUser.collect_metrics

    def client(self, *args, **kwargs):
        made = client_of(self, *args, **kwargs)
        made.meta.events.register("after-call.bedrock-runtime", note)
        return made

    def note(parsed, **_):
        last.request_id = parsed.get("ResponseMetadata", {}).get("RequestId")

    def collect(self, response, endpoint):
        if response.status_code == 200:
            records.add(last.request_id, response.start_time, response.time_at_first_token, response.end_time)
        else:
            records.add(getattr(last, "request_id", None), 0.0, None, 0.0, response.error_message or "failed")
        collect_of(self, response, endpoint)

    boto3.Session.client, BaseUser.collect_metrics = client, collect


def main() -> None:
    args = arguments(__doc__)
    from genai_bench.cli.cli import cli  # locust, and with it gevent's patch, before boto3

    note_answers(Records(args.out))
    with tempfile.TemporaryDirectory() as folder:
        make_tokenizer(folder, PROMPT, words=800)
        sys.argv = [
            "genai-bench", "benchmark", "--api-backend", "aws-bedrock", "--api-base", args.url,
            "--aws-access-key-id", ACCESS_KEY, "--aws-secret-access-key", SECRET_KEY, "--aws-region", "us-east-1",
            "--task", "text-to-text", "--api-model-name", args.model, "--model-tokenizer", folder,
            "--traffic-scenario", f"D(80,{args.tokens})", "--num-concurrency", str(args.users),
            "--max-requests-per-run", "1000000", "--max-time-per-run", "2",
            "--experiment-base-dir", str(pathlib.Path(args.out).parent), "--experiment-folder-name", "genai",
        ]  # fmt: skip
        cli()


if __name__ == "__main__":
    main()
