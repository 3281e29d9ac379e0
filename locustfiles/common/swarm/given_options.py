"""Which options were given to this process, and not by its master."""

import argparse


def remember(given: dict[str, str]) -> type[argparse.Action]:
    """Stores an option and notes it in `given`: the users that a master asks for may reach a worker before its `init`, and
    bring the master's options with them."""

    class Remember(argparse.Action):
        def __call__(self, parser, namespace, values, option_string=None) -> None:
            setattr(namespace, self.dest, values)
            given[self.dest] = values

    return Remember
