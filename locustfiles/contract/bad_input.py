"""What a user can get wrong: the exception tree of it. Each text is one line that names the place and the remedy."""


class BadInput(Exception):
    """A user's mistake; its text is one line that names the place and the remedy. Exit code 1."""


class BadScenario(BadInput):
    """A scenario that cannot be run; the text names file, line and remedy."""
