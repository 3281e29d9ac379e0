"""What a user can get wrong: the exception tree of it. Each text is one line, `place: what; remedy`; exit code 1.

BadInput                      usage, a file, an option, a package, the network: whatever has no class of its own below
├── BadScenario               a scenario that cannot be run
├── BadPriceBook              a price book that cannot be read
├── NoPrice                   a model or an instance that no source has a price for
├── WrongUnit                 a price that is in another unit than USD per 1,000 tokens, by all that is known
├── BadPayload                a payload file, or a prompt for a target, that cannot be used
├── BadTrace                  a trace of arrivals that cannot be replayed
├── NoCredentials             AWS credentials that are missing or cannot be used
├── FolderUsed                a folder that already holds a run
├── NotARun                   a folder that holds no run that can be read
├── Complete                  a run of which nothing is left to measure
├── S3Fault                   S3 that did not do what was asked: no bucket, no permission, no network
├── NotASpool                 a file that is not what a worker left of its records
├── BadLocustCsv              files that Locust did not write, or not whole
├── BadTokenMeans             a table of token means that does not fit
├── Misshapen                 a load tester's file of a form that none of its known versions has
├── NotFromHere               a path without the files that a load tester writes
└── TokenizerUnavailable      weights that are not installed, or hold no tokenizer
"""


class BadInput(Exception):
    """A user's mistake; its text is one line that names the place, what is wrong and the remedy."""


class BadScenario(BadInput):
    """A scenario that cannot be run; the text names file, line and remedy."""
