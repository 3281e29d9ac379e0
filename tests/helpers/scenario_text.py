"""A scenario and its price book as text, to change a line of and write to a file."""

import pathlib

GOOD = """\
name: tried
targets:
  - name: a
    service: bedrock
    model_id: meta.llama3-8b-instruct-v1:0
region: us-east-1
payloads: [p.jsonl]
load:
  users: [1, 2]
  measure_s: 30
pricing: book.yaml
"""
BOOK = """\
region: us-east-1
currency: USD
as_of: 2024-04-15
source: a test
instances: {ml.g5.2xlarge: 1.515}
models: {meta.llama3-8b-instruct-v1:0: {input: 0.0003, output: 0.0006}}
"""
SAGEMAKER = """\
  - name: a
    service: sagemaker
    endpoint: e
    dialect: tgi
    instance_type: ml.g5.2xlarge
"""
BEDROCK = GOOD[GOOD.index("  - name: a") : GOOD.index("region")]


def write(tmp_path, text: str) -> pathlib.Path:
    (tmp_path / "book.yaml").write_text(BOOK)
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return path
