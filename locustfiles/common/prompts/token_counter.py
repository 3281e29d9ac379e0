"""Token counts by a target's `tokenizer:`, beside those of the service, and instead of them where it has none."""

import functools
import pathlib
import typing

from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.tokenizer_packages import FAMILIES, vocabulary_file
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.scenario.targets import Target

if typing.TYPE_CHECKING:
    import tokenizers


class Counter:
    """Counts with one tokenizer; special tokens and the chat template are not counted. Raises BadInput."""

    def __init__(self, tokenizer: str) -> None:
        """`tokenizer` is a family's name, or the path of a tokenizer.json."""
        self._tokenizer = _load(tokenizer)
        self._prompts: dict[tuple[str, ...], int] = {}

    def text(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def prompt(self, target: Target, prompt: Prompt) -> int:
        """Tokens of all texts that the target is sent: its `system`, and the prompt's text or its messages'
        contents. The same texts are counted once."""
        if prompt.asked.counted is not None:
            return prompt.asked.counted
        texts = _sent(target, prompt)
        if texts not in self._prompts:
            self._prompts[texts] = sum(self.text(t) for t in texts)
        return self._prompts[texts]

    def anew(self, target: Target, prompt: Prompt) -> int:
        """The same of texts that do not come again: nothing is kept."""
        return sum(map(self.text, _sent(target, prompt)))


@functools.cache
def counter_of(tokenizer: str) -> Counter:
    """This process's counter for a `tokenizer:`, loaded once, with the prompts that it has counted. Raises BadInput."""
    return Counter(tokenizer)


def _sent(target: Target, prompt: Prompt) -> tuple[str, ...]:
    system = [] if target.system is None else [target.system]
    return (*system, *prompt.texts)


def _load(tokenizer: str) -> "tokenizers.Tokenizer":
    import tokenizers  # 4 MB, and most scenarios name none

    family = FAMILIES.get(tokenizer)
    file: str | pathlib.Path = vocabulary_file(tokenizer) if family else tokenizer
    try:
        found = family.read(pathlib.Path(file)) if family else tokenizers.Tokenizer.from_file(tokenizer)
    except Exception as e:  # the library raises bare Exception for a missing or a bad file
        raise BadInput(
            f"{file}: not a tokenizer that can be read ({' '.join(str(e).split())}); give a tokenizer.json"
        ) from None
    # a file keeps the limits of its training, which would cut and pad what is counted
    found.no_truncation()
    found.no_padding()
    return found
