"""aiperf's own command line against the endpoint's chat completions, as its users run it; it writes profile_export.jsonl
itself. Run by `python -m scripts.bench.load` in aiperf's environment."""

import os
import pathlib
import sys

from scripts.bench.child import PROMPT, arguments
from scripts.clients.small_tokenizer import make_tokenizer


def main() -> None:
    args = arguments(__doc__)
    folder = pathlib.Path(args.out).parent
    make_tokenizer(str(folder / "tokenizer"), PROMPT, words=800)
    aiperf = pathlib.Path(sys.executable).parent / "aiperf"
    command = [
        str(aiperf), "profile", "--model", args.model, "--url", args.url, "--endpoint-type", "chat", "--ui", "none",
        "--tokenizer", str(folder / "tokenizer"), "--use-server-token-count", "--isl", "80", "--osl", str(args.tokens),
        "--concurrency", str(args.users), "--benchmark-duration", str(args.seconds),
        "--artifact-dir", str(folder / "aiperf"), *(["--streaming"] if args.stream else []),
    ]  # fmt: skip
    os.environ.pop("HF_HUB_OFFLINE", None)  # with it aiperf takes the folder for the name of a repository
    os.environ["TMPDIR"] = str(folder)  # it leaves its data there
    os.execv(aiperf, command)


if __name__ == "__main__":
    main()
