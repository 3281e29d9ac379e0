"""What the load testers' scripts share: a small tokenizer, which they want, and their own command lines, run to the end."""

import pathlib
import subprocess
import sys

from scripts.clients.reporting import PROMPT

REQUESTS = 6


def make_tokenizer(folder: str) -> None:
    """One of the prompt's words, in Hugging Face's form."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["[UNK]"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([PROMPT], trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]").save_pretrained(folder)


def ran(program: str, *arguments: str) -> None:
    """One of this environment's programs; asserts that it ended well."""
    command = [str(pathlib.Path(sys.executable).parent / program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=240)
    print(done.stdout[-5000:], done.stderr[-5000:])  # for the log
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    assert done.returncode == 0, lines[-1] if lines else f"exit code {done.returncode}"
