"""What the shell scripts share: the environment they make, and the sweep they run."""

import pathlib
import re
import stat
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).parent.parent


def bash(folder: pathlib.Path, script: str, name: str, **more) -> subprocess.CompletedProcess:
    command = f"set -euo pipefail; . {ROOT}/scripts/lib/{name}; {script}"
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=300, **more)


def program(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def installed(folder: pathlib.Path, *items: str) -> list[str]:
    """What pip was asked to install, a line each time; pip itself does not run."""
    program(folder / ".venv/bin/python", 'echo "$@" | sed "s/.*no-compile //; s/-c constraints.txt //" >>asked')
    if not (folder / "constraints.txt").exists():
        (folder / "constraints.txt").write_text("one==1\n")
    (folder / "asked").write_text("")
    done = bash(folder, f"make_venv {' '.join(items)}", "venv.sh")
    assert done.returncode == 0, done.stderr
    return (folder / "asked").read_text().splitlines()


def test_requirements_that_change_and_change_back_are_installed_each_time(tmp_path):
    file = tmp_path / "a.txt"
    for text in ("one==1", "one==2", "one==1"):
        file.write_text(text)
        assert installed(tmp_path, "a.txt") == ["-r a.txt"]
        assert installed(tmp_path, "a.txt") == []


def test_what_is_installed_is_held_to_the_lock_and_a_changed_lock_installs_anew(tmp_path):
    (tmp_path / "a.txt").write_text("one==1")
    assert installed(tmp_path, "a.txt", "+c==1") == ["-r a.txt", "--no-deps c==1"]
    (tmp_path / "constraints.txt").write_text("one==1\ntwo==2\n")
    assert installed(tmp_path, "a.txt", "+c==1") == ["-r a.txt", "--no-deps c==1"]
    assert installed(tmp_path, "a.txt", "+c==1") == []
    program(tmp_path / ".venv/bin/python", 'echo "$@" >>asked')
    (tmp_path / "a.txt").write_text("one==2")
    assert bash(tmp_path, "make_venv a.txt", "venv.sh").returncode == 0
    assert (tmp_path / "asked").read_text().splitlines()[-1].endswith(" -c constraints.txt -r a.txt")


def test_a_package_of_another_version_is_installed_and_what_others_installed_stays_known(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name)
    assert installed(tmp_path, "a.txt", "b.txt", "+c==1") == ["-r a.txt -r b.txt", "--no-deps c==1"]
    assert installed(tmp_path, "b.txt") == installed(tmp_path, "a.txt", "+c==1") == []
    assert installed(tmp_path, "a.txt", "+c==2") == ["-r a.txt", "--no-deps c==2"]
    assert installed(tmp_path, "b.txt", "+c==2") == []
    assert installed(tmp_path, "a.txt", "+c==1") == ["-r a.txt", "--no-deps c==1"]


def test_the_error_of_a_sweep_that_fails_is_shown_however_slow_the_way_of_its_lines(tmp_path):
    """Whatever the lines pass on their way to the terminal may be late: here half a second."""
    for name in ("tee", "sed"):
        program(tmp_path / name, f'sleep 0.5; exec /usr/bin/env -i PATH=/usr/bin:/bin {name} "$@"')
    sweep = "sh -c 'echo x swarmledger: Stage 1 of 1; echo error: no such file; exit 3'"
    done = bash(tmp_path, f"PATH=$PWD:$PATH; run_dir=x; run_sweep {sweep}", "local_sweep.sh")
    assert done.returncode == 3
    assert done.stdout == "  Stage 1 of 1\n"
    assert done.stderr == "error: no such file\nerror: x: the sweep ended with exit code 3; see above\n"


@pytest.mark.parametrize("pause", ["0", "0.4"])
def test_a_sweep_that_ends_well_has_shown_all_its_stages(tmp_path, pause):
    sweep = f"sh -c 'for n in 1 2 3; do echo x swarmledger: Stage $n; sleep {pause}; done'"
    done = bash(tmp_path, f"run_dir=x; run_sweep {sweep}; echo end", "local_sweep.sh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "  Stage 1\n  Stage 2\n  Stage 3\nend\n", "")


def test_the_demos_help_names_the_levels_of_its_scenarios():
    text = subprocess.run([ROOT / "scripts/demo.sh", "--help"], capture_output=True, text=True, timeout=60).stdout
    said = [int(n) for n in re.search(r"sweeps ([\d, and]+) users", text)[1].replace("and", ",").split(",")]
    for name in ("demo", "demo-simulated"):
        assert yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text())["load"]["users"] == said


def test_the_tests_script_has_help_with_an_example():
    done = subprocess.run([ROOT / "scripts/test.sh", "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "example: scripts/test.sh tests/load -k ttft" in done.stdout
