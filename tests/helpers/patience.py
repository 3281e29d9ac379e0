"""For tests of milliseconds on a machine that may be busy."""

import functools


def up_to_three_times(test):
    """Where a test fails it is tried again, twice at most: what is wrong is wrong each time, what was late only once."""

    @functools.wraps(test)
    def trying(*args, **kwargs):
        for _ in range(2):
            try:
                return test(*args, **kwargs)
            except AssertionError:
                pass
        return test(*args, **kwargs)

    return trying
