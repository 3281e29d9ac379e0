"""Published data sets become payload files: every form, what is left out and why, and files of every kind."""

import base64
import csv
import json
import tracemalloc

import pyarrow as pa
import pyarrow.parquet
import pytest

from locustfiles.common.prompts.payloads import load_payload
from scripts.make_payloads import rows as reader
from scripts.make_payloads.__main__ import main

TURNS = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Where?"},
]
SHARE = {
    "id": "a_0",
    "conversations": [
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Hello."},
        {"from": "human", "value": "Where?"},
    ],
}
FORMS = {
    "sharegpt": (SHARE, "Hi", {}),
    "mt-bench": ({"question_id": 81, "category": "writing", "turns": ["Write.", "Shorter."]}, "Write.", {}),
    "longbench": ({"context": "Pier 3.", "input": "Which?", "answers": ["3"], "_id": "x"}, "Pier 3.\n\nWhich?", {}),
    "openai-batch": (
        {
            "custom_id": "r1",
            "method": "POST",
            "url": "/v1/completions",
            "body": {"model": "m", "prompt": "Hi", "max_tokens": 9},
        },
        "Hi",
        {"max_tokens": 9},
    ),
    "bedrock-batch": (
        {
            "recordId": "R1",
            "modelInput": {"inputText": "Hi", "textGenerationConfig": {"maxTokenCount": 9, "topP": 0.5}},
        },
        "Hi",
        {"max_tokens": 9, "top_p": 0.5},
    ),
    "data-capture": (
        {
            "captureData": {
                "endpointInput": {
                    "data": json.dumps({"inputs": "Hi", "parameters": {"max_new_tokens": 9}}),
                    "encoding": "JSON",
                }
            }
        },
        "Hi",
        {"max_tokens": 9},
    ),
    "llm-load-test": (
        {"index": 0, "question": "Sum up.", "system_prompt": "", "tok_input_length": 137, "tok_output_length": 20},
        "Sum up.",
        {"max_tokens": 20},
    ),
    "alpaca": ({"instruction": "Translate.", "input": "ja", "output": "yes"}, "Translate.\n\nja", {}),
}


def made(tmp_path, rows, *options: str, name: str = "set.jsonl"):
    """(exit code, prompts, manifest)"""
    source = tmp_path / name
    if isinstance(rows, bytes):
        source.write_bytes(rows)
    else:
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = tmp_path / "made.jsonl"
    code = main(["from", str(source), "--out", str(out), *options])
    if not out.exists():
        return code, None, None
    return code, load_payload(out), json.loads(out.with_suffix(".manifest.json").read_text())


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_known_by_its_keys(tmp_path, form):
    row, prompt, parameters = FORMS[form]
    code, prompts, manifest = made(tmp_path, [row, row])
    assert (code, manifest["form"], manifest["prompts"], manifest["left_out"]) == (0, form, 2, {})
    assert [(p.id, p.text, p.parameters) for p in prompts] == [("1", prompt, parameters), ("2", prompt, parameters)]
    assert (manifest["lengths"]["unit"], manifest["lengths"]["max"]) == ("characters", len(prompt))
    assert (tmp_path / "made.png").read_bytes()[:4] == b"\x89PNG"


def test_a_conversation_is_its_first_turn_or_all_up_to_the_users_last(tmp_path):
    _, [prompt], _ = made(tmp_path, [SHARE], "--all-turns")
    assert prompt.messages == TURNS
    answered = {"messages": [*TURNS, {"role": "assistant", "content": "There."}]}
    _, [prompt], manifest = made(tmp_path, [answered])
    assert prompt.messages == TURNS and manifest["form"] == "messages"


def test_conversations_are_held_turn_by_turn_with_the_answers_that_were_recorded(tmp_path):
    system = {"role": "system", "content": "Be brief."}
    rows = [SHARE, {"conversations": [*SHARE["conversations"], {"from": "gpt", "value": "There."}]}]
    _, prompts, manifest = made(tmp_path, rows, "--conversations")
    assert [[(t.user, t.answer) for t in p.turns] for p in prompts] == [
        [("Hi", "Hello."), ("Where?", None)],
        [("Hi", "Hello."), ("Where?", None)],  # what was answered last is sent to nobody
    ]
    assert manifest["conversations"] and not manifest["left_out"]
    _, [chat], _ = made(tmp_path, [{"messages": [system, *TURNS]}], "--conversations")
    assert (chat.led_by, [t.user for t in chat.turns]) == ([system], ["Hi", "Where?"])
    _, [bench], _ = made(tmp_path, [FORMS["mt-bench"][0]], "--conversations")
    assert [(t.user, t.answer) for t in bench.turns] == [("Write.", None), ("Shorter.", None)]
    bad = [{"messages": [TURNS[1], TURNS[0]]}, {"messages": [TURNS[0], system, TURNS[2]]}, {"messages": TURNS}]
    _, [kept], manifest = made(tmp_path, bad, "--conversations")
    assert (len(kept.turns), sum(manifest["left_out"].values())) == (2, 2)


def test_a_body_of_messages_keeps_its_system_prompt(tmp_path):
    content = [{"type": "text", "text": "Hi"}]
    claude = {"system": "Be brief.", "messages": [{"role": "user", "content": content}], "max_tokens": 7}
    _, [prompt], _ = made(tmp_path, [{"recordId": "1", "modelInput": claude}])
    assert prompt.messages == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert prompt.parameters == {"max_tokens": 7}


def test_captured_input_may_be_base64_and_a_picture_stays(tmp_path):
    data = base64.b64encode(b'{"messages": [{"role": "user", "content": "Hi"}]}').decode()
    _, [prompt], _ = made(tmp_path, [{"captureData": {"endpointInput": {"data": data, "encoding": "BASE64"}}}])
    assert prompt.messages == [{"role": "user", "content": "Hi"}]
    pixel = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    _, [prompt], _ = made(tmp_path, [{"question": "What is this?", "base64_img": pixel}])
    assert prompt.pictured


def test_bad_rows_are_counted_by_their_reason_and_make_the_exit_code(tmp_path, capsys):
    rows = [SHARE, {"id": "b", "conversations": []}, {"conversations": [{"from": "gpt", "value": "x"}]}, {"x": 1}]
    code, prompts, manifest = made(tmp_path, rows)
    assert (code, [p.id for p in prompts], manifest["rows"]) == (2, ["1"], 4)
    assert manifest["left_out"] == {"no turn of the user": 2, "no row of sharegpt: a key is missing": 1}
    assert "left out: 2 rows, no turn of the user" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["list", "csv", "semicolons", "parquet"])
def test_columns_of_any_kind_of_file_by_name_or_template(tmp_path, kind):
    rows = [{"q": f"Question {n}?", "topic": "sea"} for n in range(5)]
    if kind == "list":
        source = json.dumps(rows, indent=1).encode()
    elif kind == "parquet":
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "x")
        source = (tmp_path / "x").read_bytes()
    else:
        sign = ";" if kind == "semicolons" else ","
        source = "\n".join([f"q{sign}topic", *(f"{row['q']}{sign}{row['topic']}" for row in rows)]).encode()
    _, prompts, _ = made(tmp_path, source, "--prompt", "q", name="source")
    assert [p.text for p in prompts] == [row["q"] for row in rows]
    _, prompts, manifest = made(tmp_path, source, "--template", "Of the {topic}: {q}", "--limit", "2", name="source")
    assert [p.text for p in prompts] == ["Of the sea: Question 0?", "Of the sea: Question 1?"]
    assert manifest["template"] == "Of the {topic}: {q}"


def test_tokens_are_counted_and_long_prompts_left_out(tmp_path):
    rows = [{"prompt": "word " * n} for n in (3, 50)]
    _, prompts, manifest = made(
        tmp_path, rows, "--prompt", "prompt", "--tokenizer", "llama3", "--max-tokens-of-prompt", "20"
    )
    assert [p.prompt_tokens for p in prompts] == [4] and manifest["lengths"]["unit"] == "tokens"
    assert manifest["left_out"] == {"more than 20 tokens": 1}


def test_a_sample_is_drawn_from_all_and_is_the_same_again(tmp_path):
    rows = [{"prompt": f"Number {n}"} for n in range(500)]
    first, again, other = (
        [p.text for p in made(tmp_path, rows, "--prompt", "prompt", "--sample", "20", "--seed", seed)[1]]
        for seed in "112"
    )
    assert first == again != other and len(set(first)) == 20
    assert max(int(text.split()[1]) for text in first) > 250


def test_many_rows_take_no_more_memory_than_few(tmp_path, monkeypatch):
    """A JSON list, whose end is far away; 20 times the rows, and not twice the memory."""
    monkeypatch.setattr(reader, "BLOCK", 1 << 16)
    peaks = []
    for count in (2_000, 40_000):
        text = "[" + ",".join(json.dumps({"prompt": f"Number {n}", "more": "x" * 200}) for n in range(count)) + "]"
        (tmp_path / "source").write_text(text)
        del text
        tracemalloc.start()
        assert (
            main(["from", str(tmp_path / "source"), "--prompt", "prompt", "--out", str(tmp_path / "made.jsonl")]) == 0
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0], peaks


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        (b'[{"prompt": "a"}, {"prompt"', ("--prompt", "prompt"), "its JSON list breaks off"),
        (
            b'{"foo": "bar"}\n',
            (),
            "its rows are of no form that is known; name the column of the prompt by --prompt: `foo`",
        ),
        (b'{"foo": ""}\n', ("--prompt", "foo"), "no prompt found in 1 rows: no prompt text (1)"),
        (b"\x1f\x8b\x08", (), "is packed, or no text; unpack it first"),
        (b"PAR1 and no more", ("--prompt", "q"), "cannot be read as Parquet"),
        (b"", (), "has no header line"),
        (b"{}", ("--prompt", "a", "--template", "b"), "give one of them"),
        (b"{}", ("--max-tokens-of-prompt", "9"), "needs --tokenizer"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_says_what_to_do(tmp_path, capsys, source, options, words):
    code, prompts, _ = made(tmp_path, source, *options, name="source")
    said = capsys.readouterr().err
    assert (code, prompts) == (1, None) and said.startswith("error: ") and words in said and said.count("\n") == 1


def test_the_data_set_itself_is_never_written_over(tmp_path, capsys):
    for name in ("set.json", "set.manifest.json", "set.jsonl"):
        (tmp_path / name).write_text(json.dumps(SHARE))
        code = main(["from", str(tmp_path / name), "--out", str(tmp_path / "set.jsonl")])
        assert code == (0 if name == "set.json" else 1), capsys.readouterr()
        assert json.loads((tmp_path / name).read_text()) == SHARE
    assert "would be written over" in capsys.readouterr().err


# --- traces ---

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,3180,8\n2023-11-16 18:17:06.0000000,34,12\n"
BURST = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,API log\n118,GPT-4,417,276,693,API log\n"
MOONCAKE = '{"timestamp": 0, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}\n{"timestamp": 3052, "input_length": 6472, "output_length": 26, "hash_ids": [46]}\n'


def traced(tmp_path, text: str, *options: str):
    """(exit code, rows of the CSV)"""
    (tmp_path / "source").write_text(text)
    out = tmp_path / "trace.csv"
    code = main(["trace", str(tmp_path / "source"), "--out", str(out), *options])
    if not out.exists():
        return code, None
    with open(out, newline="") as file:
        return code, [tuple(row.values()) for row in csv.DictReader(file)]


def test_published_traces_begin_at_zero_in_seconds(tmp_path):
    assert traced(tmp_path, AZURE) == (
        0,
        [("0.000000", "4808", "10"), ("0.052000", "3180", "8"), ("2.020040", "34", "12")],
    )
    assert traced(tmp_path, BURST) == (2, [("0.000000", "472", "18"), ("113.000000", "417", "276")])
    assert traced(tmp_path, MOONCAKE) == (0, [("0.000000", "6955", "52"), ("3.052000", "6472", "26")])


def test_a_window_and_a_scale(tmp_path):
    own = "at;in\n" + "".join(f"{1000 * n};{n + 1}\n" for n in range(10))
    code, rows = traced(
        tmp_path,
        own,
        "--time",
        "at",
        "--unit",
        "ms",
        "--prompt-tokens",
        "in",
        "--from-s",
        "2",
        "--to-s",
        "5",
        "--scale",
        "2",
    )
    assert (code, rows) == (0, [("0.000000", "3", ""), ("2.000000", "4", ""), ("4.000000", "5", "")])


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("a,b\n1,2\n", (), "is of no form that is known; name the column of the time by --time: `a`, `b`"),
        ("t,b\nx,2\ny,3\n", ("--time", "t"), "0 arrivals in the window"),
        ("t,b\n1,2\n", ("--time", "t", "--scale", "0"), "--scale: must be above 0"),
    ],
)
def test_what_is_no_trace_is_told(tmp_path, capsys, text, options, words):
    code, rows = traced(tmp_path, text, *options)
    assert (code, rows) == (1, None) and words in capsys.readouterr().err
