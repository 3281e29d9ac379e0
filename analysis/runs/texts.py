"""Columns of texts, whether they are kept as texts or numbered (a category a text): the same answers of both, in the same order."""

import numpy as np
import pandas as pd


def codes_of(texts: pd.Series) -> tuple[np.ndarray, list[str]]:
    """(number of each, the texts by their numbers); -1 is none. Not every text need be there."""
    if isinstance(texts.dtype, pd.CategoricalDtype):
        return texts.cat.codes.to_numpy(), texts.cat.categories.tolist()
    codes, found = pd.factorize(texts)
    return codes, found.tolist()


def counted(texts: pd.Series) -> pd.Series:
    """How often each that is there stands in it, the most frequent first: of equally many the one that came first."""
    if not isinstance(texts.dtype, pd.CategoricalDtype):
        return texts.value_counts()
    codes = texts.cat.codes.to_numpy()
    found = pd.Series(codes[codes >= 0]).value_counts()
    return pd.Series(found.to_numpy(), index=texts.cat.categories.take(found.index.to_numpy()))


def in_it(texts: pd.Series) -> list[str]:
    """Each that is there, once."""
    codes, words = codes_of(texts)
    there = np.zeros(len(words) + 1, dtype=bool)
    there[codes] = True
    return [word for word, is_there in zip(words, there, strict=False) if is_there]


def nowhere(texts: pd.Series) -> bool:
    """Whether there is none in it, at once where no text of the whole file is one."""
    if isinstance(texts.dtype, pd.CategoricalDtype) and not len(texts.cat.categories):
        return True
    return bool(texts.isna().all())


def in_words(records: pd.DataFrame) -> pd.DataFrame:
    """With texts in place of their numbers."""
    numbered = [name for name, kind in records.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    # by hand: astype looks at each of the texts anew, which of a short run takes longer than reading it
    return records.assign(**{str(name): _words(records[name].array) for name in numbered})


def _words(texts: pd.Categorical) -> pd.api.extensions.ExtensionArray:
    return texts.categories.array.take(texts.codes, allow_fill=True)
