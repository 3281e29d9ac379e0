"""The image's files: what is built, by whom it runs, and that the compose file is one by the specification's own schema."""

import re
import subprocess
import sys

import pytest
import yaml

from tests.helpers.documents import ROOT, text_of

DOCKERFILE = (ROOT / "deploy/image/Dockerfile").read_text(encoding="utf-8")
COMPOSE = ROOT / "deploy/compose.yaml"


def test_every_package_of_the_image_has_its_locked_version():
    installs = re.findall(r"pip install (.*)", DOCKERFILE)
    assert len(installs) == 2 and all("-c constraints.txt -r " in line for line in installs)


def test_what_is_copied_is_let_into_the_build_and_nothing_else_is():
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.*) \S+$", DOCKERFILE, re.MULTILINE)
    wanted = {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in wanted)
    assert let_in == {"analysis" if name.startswith("analysis/") else name for name in wanted}


def test_the_process_is_no_root_and_gets_the_signals():
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["tini", "--", "swarmledger-load"\]$', DOCKERFILE, re.MULTILINE)
    assert (
        (ROOT / "deploy/image/swarmledger-load").read_text().splitlines()[-1].startswith("exec /app/venv/bin/python ")
    )


def test_the_commit_that_an_image_is_built_of_is_checked_in_its_build_and_told_to_its_processes():
    code, runtime = (DOCKERFILE.split(f" AS {stage}\n")[1].split("\nFROM ")[0] for stage in ("code", "runtime"))
    assert re.search(r"^ARG REVISION=\nRUN .*SWARMLEDGER_REVISION=\"\$REVISION\" .*--version$", code, re.MULTILINE)
    assert re.search(r"^ARG REVISION=\nENV SWARMLEDGER_REVISION=\$REVISION$", runtime, re.MULTILINE)
    for service in yaml.safe_load(COMPOSE.read_text())["services"].values():
        assert service["build"]["args"] == {"REVISION": "${REVISION:-}"}
    texts = [text_of(path) for path in sorted((ROOT / "deploy").rglob("*.md"))]
    builds = [line for text in texts for line in re.findall(r"^docker build .*Dockerfile.*$", text, re.MULTILINE)]
    assert builds and all("--build-arg REVISION " in line for line in builds)


def test_the_compose_file_keeps_the_specifications_schema():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", ["master", "worker"])
def test_a_service_is_confined_and_has_as_long_to_end_as_its_process_is_told(service):
    found = yaml.safe_load(COMPOSE.read_text())["services"][service]
    assert found["read_only"] is True and found["cap_drop"] == ["ALL"] and found["secrets"] == ["token"]
    period = found["stop_grace_period"].removesuffix("s")
    assert period == found["environment"]["SWARMLEDGER_GRACE_S"] == "${GRACE_S:-60}"
    assert "SWARMLEDGER_TOKEN" not in found["environment"]
