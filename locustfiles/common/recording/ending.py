"""How a run ended, for the shell: its exit code, and the line that goes with code 1."""

from locustfiles.contract.exit_codes import BAD_INPUT, GATE_MISSED, NOT_TRUSTED, OK, STOPPED
from locustfiles.contract.manifest import Manifest


def complaint(failure: str | None, manifest: Manifest) -> str | None:
    """failure: what ended the run early; else the first target that was left out, and the names of the others."""
    if failure or not manifest.left_out:
        return failure
    first, *others = manifest.left_out
    also = f" (and so {'is' if len(others) == 1 else 'are'} {', '.join(one.what for one in others)})" if others else ""
    return f"{first.what} is left out{also}: {first.why}"


def drawbacks(manifest: Manifest, over_budget: bool) -> list[str]:
    """What a person who watches the run is told of it: why it ended early, what is left out, what cannot be trusted."""
    found = ["The budget (budget_usd) is spent: the run ends with what was measured."] if over_budget else []
    found += [f"{one.what} is left out: {one.why}" for one in manifest.left_out]
    return found + [p.text for p in manifest.problems]


def exit_code(failure: str | None, untrusted: bool, over_budget: bool, manifest: Manifest) -> int:
    """Of one part of a run."""
    if failure:
        return BAD_INPUT
    if untrusted:
        return NOT_TRUSTED
    if manifest.left_out:
        return BAD_INPUT
    if over_budget:
        return GATE_MISSED
    return STOPPED if manifest.status == "stopped" else OK
