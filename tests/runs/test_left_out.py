"""A target whose first calls fail is left out, the others are measured; where none is left, nothing is."""

import pathlib
import socket

from tests.helpers import folders
from tests.helpers.locust_process import cluster, one_locust

LOAD = {"users": [1], "settle_s": 0, "measure_s": 0.5}
GONE = folders.sagemaker("no-such-endpoint", name="gone")


def ran(scenario: pathlib.Path, run: pathlib.Path, *more: object) -> tuple[int, str]:
    """Exit code and output of a run in one process."""
    with one_locust(scenario, run, *more) as process:
        return process.wait(), process.text


def check(code: int, run: pathlib.Path, text: str) -> None:
    assert code == 1
    manifest = folders.manifest(run)
    assert manifest["status"] == "complete"
    (left,) = manifest["left_out"]
    assert (left["target"], left["payload"], left["error"]) == ("gone", None, "client")
    assert left["text"].startswith("ValidationError: Endpoint no-such-endpoint of account")
    assert [s["target"] for s in manifest["stages"]] == ["on-quick"]
    warm = [r.error for r in folders.rows(run) if r.target == "gone"]
    assert warm == ["client"] * 3  # a refusal is one each time
    assert "error: target `gone` is left out: ValidationError: Endpoint no-such-endpoint" in text


def test_one_targets_failed_first_calls_leave_the_others_study_alone(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [GONE, folders.sagemaker("quick")], LOAD)
    check(*_with(ran(scenario, tmp_path / "run"), tmp_path / "run"))


def _with(result: tuple[int, str], run: pathlib.Path) -> tuple[int, pathlib.Path, str]:
    return result[0], run, result[1]


def test_so_it_is_with_workers(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [GONE, folders.sagemaker("quick")], LOAD)
    with cluster(scenario, tmp_path / "run") as crew:
        code, _ = crew.wait()
        check(code, tmp_path / "run", crew.text())


def test_where_no_target_is_left_the_run_ends_before_its_load(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [GONE, folders.sagemaker("failing", name="bad")], LOAD)
    code, text = ran(scenario, tmp_path / "run")
    manifest = folders.manifest(tmp_path / "run")
    assert (code, manifest["status"], manifest["stages"]) == (1, "failed", [])
    assert "error: target `gone`: ValidationError: Endpoint no-such-endpoint" in text


def test_what_was_left_out_is_asked_again_by_resume(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [GONE, folders.sagemaker("quick")], LOAD)
    assert ran(scenario, tmp_path / "run")[0] == 1
    assert ran(scenario, tmp_path / "run", "--resume")[0] == 1
    manifest = folders.manifest(tmp_path / "run")
    assert (len(manifest["parts"]), [one["target"] for one in manifest["left_out"]]) == (2, ["gone"])
    assert [s["target"] for s in manifest["stages"]] == ["on-quick"]  # once


def test_a_target_that_accepts_and_never_answers_is_left_out_as_that(endpoint, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts for it
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        targets = [folders.sagemaker("quick", name="silent", endpoint_url=url), folders.sagemaker("quick")]
        scenario = folders.make_scenario(tmp_path, endpoint.url, targets, LOAD, request_timeout_s=1)
        code, text = ran(scenario, tmp_path / "run")
    manifest, found = folders.manifest(tmp_path / "run"), folders.rows(tmp_path / "run")
    (left,) = manifest["left_out"]
    assert (code, manifest["status"], left["target"], left["error"]) == (1, "complete", "silent", "read_timeout")
    assert "no byte of an answer came within request_timeout_s; check the region, `endpoint_url`" in text
    assert [s["target"] for s in manifest["stages"]] == ["on-quick"]
    assert [(r.error, r.http_status) for r in found if r.target == "silent"] == [("read_timeout", None)] * 2
