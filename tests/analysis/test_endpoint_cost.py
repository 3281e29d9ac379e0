"""What the report says of an endpoint that was there for a run alone."""

from analysis.advice.analyse import analyse
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.report.summary_json import summary_of
from locustfiles.contract.endpoint_file import FILE, EndpointLife, Instances, add
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.made_run import made_run, record, window

LIFE = EndpointLife(
    endpoint="p4d",
    region="us-east-1",
    run="3f9a2c1d",
    owner="ada",
    created_at="2024-04-15T10:00:00Z",
    in_service_at="2024-04-15T10:10:00Z",
    began_at="2024-04-15T10:10:00Z",
    ended_at="2024-04-15T10:20:00Z",
    deleted_at="2024-04-15T10:30:00Z",
    instances=[Instances("AllTraffic", "ml.p4d.24xlarge", 1, 37.688)],
    hours=0.5,
    usd_per_hour=37.688,
    usd=18.844,
)


def run_of(tmp_path):
    return made_run(
        tmp_path / "r", [record(0, 1, phase="warmup", stage=0, users=None), record(1, 1)], [window(1, 0, 10)]
    )


def test_it_stands_beside_the_runs_own_cost(tmp_path):
    # half an hour at $37.688 is $18.84; the run's own two seconds under load are $0.02094
    path = run_of(tmp_path)
    add(path, LIFE)
    report = analyse([path])
    said = "endpoint `p4d` (1 × ml.p4d.24xlarge) was there for 30.0 min, from its creation to its deletion, warm-up and waiting"
    assert f"{said} included: at most $18.84 ($37.688 an hour)." in markdown(report, [])
    [told] = summary_of(report)["endpoints"]
    assert (told["endpoint"], told["hours"], told["usd_per_hour"], told["usd"]) == ("p4d", 0.5, 37.688, 18.844)
    write_html(report, [], tmp_path / "r.html")
    assert "endpoint <code>p4d</code> (1 × ml.p4d.24xlarge) was there for" in (tmp_path / "r.html").read_text()


def test_what_is_left_or_not_known_is_said_and_what_cannot_be_read_too(tmp_path):
    path = run_of(tmp_path)
    assert analyse([path]).endpoints == []
    lost = {"usd": None, "usd_per_hour": None, "hours": 0.01, "left": ["endpoint p4d"]}
    add(path, EndpointLife(**{name: getattr(LIFE, name) for name in LIFE.__slots__} | lost))
    [said] = [each.text for each in analyse([path]).endpoints]
    assert "for 36.0 s" in said and said.endswith(
        "what that costs is not known. Not deleted, and it may go on costing: endpoint p4d."
    )
    (path / FILE).write_text("{")
    assert [each.text for each in analyse([path]).endpoints] == [
        "Run r: its endpoint.json cannot be read; what its endpoint cost is not known."
    ]
    RunFolder(path).create(overwrite=True)
    assert not (path / FILE).exists()
