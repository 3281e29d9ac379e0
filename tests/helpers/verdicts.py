"""The verdict of a stage that a test made, and the records of one that is VALID."""

import dataclasses

from analysis.advice.analyse import analyse
from analysis.verdicts.caution import brief
from tests.helpers.made_run import made_run, steady, window


def verdict(tmp_path, records, stage=None, **keys):
    """The stage's verdict, and what was seen, without what it does and what to do about it."""
    (result,) = analyse([made_run(tmp_path / "r", records, [stage or window(1, 10, 40, users=2)], **keys)]).results
    return result.figures.trust.verdict, brief(dataclasses.replace(one, price=None) for one in result.cautions)


def healthy(**other):
    return steady(1, 10, 40, 2, 0.5, lead=2, **other)
