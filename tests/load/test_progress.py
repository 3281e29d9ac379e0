"""Progress: what the bar says."""

from locustfiles.common.swarm.progress import Progress


def said(stages: int, stage: int) -> str:
    progress = Progress(stages, 60.0)
    progress.show(stage, 1.0, "3 requests")
    (task,) = progress._bar.tasks
    progress.close()
    return task.description


def test_the_stage_is_given_of_how_many_where_that_is_known():
    assert said(4, 2) == "stage 2 of 4"
    assert said(4, 0) == "checking the endpoints"
    assert said(0, 1) == "stage 1"  # a search decides its stages as it goes
