"""Token counts by a tokenizer.json, for targets whose service reports none."""

import tokenizers

from locustfiles.common.payloads import Prompt, texts_of
from locustfiles.common.yaml_file import BadInput


class Counter:
    """Counts with one tokenizer; special tokens and the chat template are not counted. Raises BadInput."""

    def __init__(self, path: str) -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(path)
        except Exception as e:  # the library raises bare Exception for a missing or a bad file
            raise BadInput(f"{path}: not a tokenizer.json that can be read ({e})") from None
        self._prompts: dict[str, int] = {}

    def text(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def prompt(self, prompt: Prompt) -> int:
        """Tokens of a prompt's text, or of all its messages' contents; counted once per prompt id."""
        if prompt.id not in self._prompts:
            texts = [prompt.text] if prompt.text is not None else [t for m in prompt.messages for t in texts_of(m["content"])]
            self._prompts[prompt.id] = sum(self.text(t) for t in texts)
        return self._prompts[prompt.id]
