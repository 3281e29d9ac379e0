"""The first study once more: p4d at six levels beside Bedrock, and runs of stages like its own."""

from analysis.advice.analyse import analyse
from tests.helpers.made_run import BEDROCK, P4D, made_run, record, window

#: the first study's p4d rows on its longest prompts: users, transactions/min, failures, latency mean s
STUDY = [
    (1, 145, 9, 0.49),
    (2, 243, 15, 0.46),
    (4, 252, 21, 0.67),
    (6, 289, 39, 0.80),
    (8, 374, 51, 0.92),
    (10, 346, 86, 0.98),
]
PAYLOAD = "payload_en_3000-3840"
SLO = {"latency_s": {"mean": 2.0}, "error_rate": 0.0, "cost_per_10k_transactions_usd": 50.0, "dataset": PAYLOAD}


def stage_of(stage, start, users, per_minute, failures, latency, **other):
    """A minute with `per_minute` successes that all lie inside it, and failures of 10 ms."""
    spot = {"stage": stage, "users": users, "payload": PAYLOAD, "in_flight": users} | other
    gap = (60 - latency) / per_minute
    records = [record(start + i * gap, latency, prompt_id=str(i), **spot) for i in range(per_minute)]
    failed = spot | {"error": "server", "prompt_tokens": None, "completion_tokens": None}
    records += [record(start + 30 + i / 100, 0.01, prompt_id=f"f{i}", **failed) for i in range(failures)]
    return records, window(stage, start, start + 60, users=users, payload=PAYLOAD, target=spot.get("target", "p4d"))


def study(tmp_path, slo=SLO, bedrock_failures=0, bedrock_latency=1.48, **keys):
    """The first study: p4d at six levels, Bedrock at ten users with 190 transactions/min of 2923 + 24 tokens."""
    records, stages = [], []
    for i, (users, per_minute, failures, latency) in enumerate(STUDY, start=1):
        made = stage_of(i, 100 * i, users, per_minute, failures, latency, prompt_tokens=3384, completion_tokens=30)
        records += made[0]
        stages.append(made[1])
    tokens = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}
    made = stage_of(7, 700, 10, 190, bedrock_failures, bedrock_latency, **tokens)
    path = made_run(tmp_path / "r", records + made[0], [*stages, made[1]], targets=[P4D, BEDROCK], slo=slo, **keys)
    return analyse([path])


def run_of(tmp_path, stages, targets=(P4D, BEDROCK), **keys):
    records = [r for made, _ in stages for r in made]
    return analyse([made_run(tmp_path / "r", records, [w for _, w in stages], targets=list(targets), **keys)])
