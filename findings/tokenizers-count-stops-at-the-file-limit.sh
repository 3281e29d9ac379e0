#!/usr/bin/env bash
# Guess: len(Tokenizer.from_file(path).encode(text).ids) is the number of tokens of the text.
# What happens: enable_truncation and enable_padding, called once for a training batch, are written into
#   tokenizer.json and come back with it. Every text longer than that batch's limit has the same count, every shorter
#   one is padded up to it; nothing warns. add_special_tokens=False does not switch it off, and no_truncation() with
#   no_padding() does.
# Versions: tokenizers 0.23.3.
# Why it matters: fine-tuned models are published with such files (1024 for long prompts and short ones alike is
#   common). A load tester that counts with the model's own file then reports the same prompt length for every bucket,
#   and tokens per second and dollars per token that follow from it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tokenizers==0.23.3

cat >probe.py <<'PY'
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

words = "load tests measure what an endpoint does while many users wait".split()
trained = Tokenizer(models.WordLevel(unk_token="[UNK]"))
trained.pre_tokenizer = pre_tokenizers.Whitespace()
trained.train_from_iterator([" ".join(words)], trainers.WordLevelTrainer(special_tokens=["[UNK]", "[PAD]"]))
trained.enable_truncation(max_length=8)  # what a training script does for its batches
trained.enable_padding(length=8)
trained.save("tokenizer.json")

read = Tokenizer.from_file("tokenizer.json")
texts = {"3 words": words[:3], "11 words": words, "1100 words": words * 100}
counts = {name: len(read.encode(" ".join(text), add_special_tokens=False).ids) for name, text in texts.items()}
print("as read:                          ", counts)
read.no_truncation()
read.no_padding()
true = {name: len(read.encode(" ".join(text), add_special_tokens=False).ids) for name, text in texts.items()}
print("after no_truncation, no_padding:  ", true)
if set(counts.values()) != {8} or list(true.values()) != [3, 11, 1100]:
    sys.exit("changed: a tokenizer.json no longer carries its training limits into every count")
PY
venv/bin/python probe.py
