"""More workers than users: who has sent nothing owes nothing, and says so."""

from tests.helpers import folders
from tests.helpers.locust_process import cluster, free_port, one_locust

LOAD = {"settle_s": 0.2, "settle_at_most_s": 0.5, "measure_s": 1.2}


def assert_well(run, workers: int, idle: int, said: str) -> None:
    manifest, found = folders.manifest(run), folders.rows(run)
    assert (manifest["status"], manifest["problems"]) == ("complete", []), said
    assert all(s["whole"] for s in manifest["stages"])
    counts = [(w["produced"], w["received"], w["lost"]) for w in manifest["workers"]]
    assert len(counts) == workers and counts.count((0, 0, 0)) == idle, counts
    assert all(produced == received and lost == 0 for produced, received, lost in counts)
    assert sum(received for _, received, _ in counts) == len(found) > 10


def test_workers_without_a_user_are_no_loss(endpoint, tmp_path):
    """The first worker makes the warm-up call; one of three has the user. Nothing of theirs stays in the working folder."""
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], {"users": [1]} | LOAD)
    with cluster(scenario, tmp_path / "run", workers=3) as crew:
        assert crew.wait() == (0, [0, 0, 0]), crew.text()
        said = crew.text()
    idle = 3 - len({r.worker for r in folders.rows(tmp_path / "run")})
    assert idle in (1, 2)
    assert_well(tmp_path / "run", 3, idle, said)
    assert "has not acknowledged" not in said


def test_processes_without_a_user_are_no_loss(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], {"users": [1, 2]} | LOAD)
    port = free_port()  # Locust's own may be another test's
    ports = ("--master-bind-port", port, "--master-port", port)
    with one_locust(scenario, tmp_path / "run", "--processes", 4, *ports) as process:
        assert process.wait() == 0, process.text
    idle = 4 - len({r.worker for r in folders.rows(tmp_path / "run")})
    assert 1 <= idle <= 2  # two users, and the warm-up call's
    assert_well(tmp_path / "run", 4, idle, process.text)


def test_a_resumed_run_with_nothing_missing_ends_well(endpoint, tmp_path):
    scenario = folders.make_scenario(tmp_path, endpoint.url, [folders.sagemaker("quick")], {"users": [2]} | LOAD)
    run = tmp_path / "run"
    with one_locust(scenario, run) as process:
        assert process.wait() == 0, process.text
    text = (run / "manifest.json").read_text()
    (run / "manifest.json").write_text(text.replace('"status": "complete"', '"status": "stopped"'))
    with cluster(scenario, run, "--resume") as crew:
        assert crew.wait() == (0, [0, 0]), crew.text()
    manifest = folders.manifest(run)
    assert (manifest["status"], manifest["problems"], len(manifest["stages"])) == ("complete", [], 1)
