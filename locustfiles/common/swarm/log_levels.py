"""What of other packages may be logged, whatever Locust's --loglevel is."""

import logging


def set_levels() -> None:
    logging.getLogger("botocore").setLevel(logging.INFO)  # below, it prints session tokens
    # what it warns of, with a traceback, it raises as well
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    logging.getLogger("urllib3").setLevel(logging.INFO)
    logging.getLogger("swarmledger").setLevel(logging.INFO)  # its few lines are the progress in CI
