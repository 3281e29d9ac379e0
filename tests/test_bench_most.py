"""The most streams, ratios and the page's parts: their arithmetic, of figures that are given."""

import pytest

from scripts.bench import measurements, page
from scripts.bench.clients import CLIENTS
from scripts.bench.measure import ClientFailed, Figures, Spread
from scripts.bench.measurements import Key, Measurements, Part
from scripts.bench.most import climb, most_table
from scripts.bench.ratios import ratio_table


def figures(users: int, p99: float, late: float = 1.0, cpu_ms: float = 1.0, memory: float = 80.0) -> Figures:
    spread = Spread(p99 / 3, p99 / 4, p99)
    return Figures(users, 1000, 0, spread, spread, 100.0, cpu_ms, 0.5, 0.5, memory, late, 0.0)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Measures what `told` says: (client, users) -> figures, or a list of them, one after the other. `asked`: in what order."""
    made = Measurements({name: CLIENTS[name] for name in ("ours", "fasthttp", "guidellm")}, 1.0, 1, tmp_path)
    made.told, made.asked = {}, []
    names = {client.words: name for name, client in made.clients.items()}

    def measure(client, users, stream, seconds, tls, folder):
        made.asked.append((names[client.words], users))
        found = made.told.get(made.asked[-1])
        if found is None:
            raise ClientFailed("no luck")
        return found.pop(0) if isinstance(found, list) else found

    monkeypatch.setattr(measurements, "measure", measure)
    return made


def test_a_client_climbs_until_it_misses_twice_and_the_others_go_on(bench):
    """ours: 2 ms up to 400, then 9 and 8 ms. fasthttp: 6 ms at 300 once, then 4; 7 and 9 at 400."""
    bench.told = {("ours", n): figures(n, 2.0) for n in (200, 300, 400)} | {("fasthttp", 200): figures(200, 3.0)}
    bench.told |= {("ours", 500): [figures(500, 9.0), figures(500, 8.0, late=2.9)]}
    bench.told |= {("fasthttp", 300): [figures(300, 6.0), figures(300, 4.0)]}
    bench.told |= {("fasthttp", 400): [figures(400, 7.0), figures(400, 9.0, late=3.5)]}
    climb(bench, ["ours", "fasthttp"], False)
    assert bench.asked[:5] == [("ours", 200), ("fasthttp", 200), ("ours", 300), ("fasthttp", 300), ("fasthttp", 300)]
    assert bench.asked[5:] == [("ours", 400), ("fasthttp", 400), ("fasthttp", 400), ("ours", 500), ("ours", 500)]
    rows = most_table(bench, ["ours", "fasthttp"], [False]).splitlines()[2:]
    assert rows == [
        "| ours | HTTP | 400 | 2.0 | 1.0 | 500 | 8.0 | 2.9 | the client |",
        "| fasthttp | HTTP | 300 | 4.0 | 1.0 | 400 | 9.0 | 3.5 | the pair |",
    ]


def test_levels_that_were_measured_are_not_measured_again(bench):
    bench.told = {("ours", n): figures(n, 2.0) for n in (200, 300, 400, 500, 600, 800)}
    bench.run(Part(["ours"], [200, 600], True, False))
    climb(bench, ["ours"], False)
    assert bench.asked == [("ours", n) for n in (200, 600, 300, 400, 500, 800)]
    assert most_table(bench, ["ours"], [False]).endswith("| ours | HTTP | 800 | 2.0 | 1.0 | – | – | – | – |")


def test_a_client_that_misses_the_first_step_or_fails_says_so(bench):
    bench.told = {("fasthttp", 200): figures(200, 40.0)}
    climb(bench, ["ours", "fasthttp"], True)
    rows = most_table(bench, ["ours", "fasthttp"], [True]).splitlines()[2:]
    assert rows[0] == "| ours | HTTPS | – | – | – | – | – | – | – |"
    assert rows[1] == "| fasthttp | HTTPS | below 200 | – | – | 200 | 40.0 | 1.0 | the client |"
    assert bench.left_out == ["ours, 200 users, streams, HTTPS: ClientFailed: no luck"]
    assert bench.asked.count(("ours", 200)) == 1  # what failed is not tried again


def test_all_clients_are_measured_at_a_level_before_the_next(bench):
    bench.told = {(name, n): figures(n, 1.0) for name in ("ours", "fasthttp") for n in (1, 20)}
    bench.run(Part(["ours", "fasthttp"], [1, 20], True, False))
    assert bench.asked == [("ours", 1), ("fasthttp", 1), ("ours", 20), ("fasthttp", 20)]
    assert [(name, f.users) for name, f in bench.rows(True, False)] == [
        ("ours", 1),
        ("ours", 20),
        ("fasthttp", 1),
        ("fasthttp", 20),
    ]
    bench.run(Part(["guidellm"], [20, 50], False, False))
    assert bench.left_out == ["guidellm, short calls: it has no way to ask for a whole answer."]


def test_ratios_are_of_the_same_level_and_way_alone(bench):
    bench.figures = {
        Key("before", 200, True, False): figures(200, 2.0, cpu_ms=1.2, memory=100.0),
        Key("ours", 200, True, False): figures(200, 2.0, cpu_ms=0.48, memory=80.0),
        Key("ours", 400, True, False): figures(400, 2.0),
        Key("ours", 20, False, True): figures(20, 2.0, cpu_ms=0.1),
        Key("before", 20, False, True): figures(20, 2.0, cpu_ms=0.25),
        Key("before", 20, False, False): figures(20, 2.0, cpu_ms=0.2),
    }
    assert ratio_table(bench).splitlines()[2:] == [
        "| CPU ms/request, 200 streams, HTTP | ours | before | 0.48 | 1.20 | 0.40 |",  # 0.48 / 1.2
        "| memory MB, 200 streams | ours | before | 80 | 100 | 0.80 |",
        "| short calls/s a core, 20 users, HTTPS | ours | before | 10,000 | 4,000 | 2.50 |",  # 1000 / 0.1, 1000 / 0.25
    ]
    bench.figures = {}
    assert ratio_table(bench) is None


def test_the_page_names_known_clients_and_leaves_the_other_build_out_where_there_is_none():
    whole = page.parts([*CLIENTS, "before", "before-openai"])
    assert {name for part in whole for name in part.clients} <= {*CLIENTS, "before", "before-openai"}
    assert {name for part in page.parts(list(CLIENTS)) for name in part.clients} & {"before", "before-openai"} == set()
    assert [part.clients[:2] for part in whole if part.levels == (200,)] == [["before", "ours"]]
