"""Text of a service as a record keeps it."""


def one_line(text: str | None, most: int) -> str | None:
    """One line that a CSV file can hold."""
    if text is None:
        return None
    if text.isprintable():  # nearly every one
        return text[:most].strip() or None
    return "".join(c if c.isprintable() else " " for c in encodable(text[:most])).strip() or None


def encodable(text: str) -> str:
    """JSON can carry half a surrogate pair; two halves from two deltas become their character, one alone U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
