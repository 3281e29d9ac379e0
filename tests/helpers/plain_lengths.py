"""Lengths achieved beside lengths asked for once more, by plain loops."""


def lengths(good: list[dict], what: str, found: list) -> dict:
    """Lengths beside those that were asked for."""
    pairs = [(n, r[f"asked_{what}_tokens"]) for r, n in zip(good, found, strict=True)]
    pairs = [(n, a) for n, a in pairs if n is not None and a is not None]
    near = sum(abs(n - a) <= 0.02 * a for n, a in pairs)
    return {
        f"asked_{what}_tokens_mean": sum(a for _, a in pairs) / len(pairs) if pairs else None,
        f"{what}_length_ratio": sum(n for n, _ in pairs) / sum(a for _, a in pairs) if pairs else None,
        f"{what}_length_share": near / len(pairs) if pairs else None,
    }
