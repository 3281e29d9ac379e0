"""The verdict of a stage that a test made, and the records of one that is VALID."""

from analysis.advice.analyse import analyse
from tests.helpers.flat import steps
from tests.helpers.made_run import made_run, steady, window


def verdict(tmp_path, records, stage=None, **keys):
    report = analyse([made_run(tmp_path / "r", records, [stage or window(1, 10, 40, users=2)], **keys)])
    return steps(report)["verdict"][0], steps(report)["reasons"][0]


def healthy(**other):
    return steady(1, 10, 40, 2, 0.5, lead=2, **other)
