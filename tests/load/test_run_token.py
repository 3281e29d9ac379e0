"""What a master leaves for its workers is gone with it, however it ends."""

import os
import subprocess
import sys

import pytest

from tests.helpers.emulator_process import ROOT

MASTER = """
import atexit
from locustfiles.common.swarm import run_token
token = run_token.of_master(5999)
atexit.register(run_token.forget, 5999, token)
assert run_token.of_worker() == [token, token]  # the one in the file, and this process's own
{end}
"""


@pytest.mark.parametrize("end", ["run_token.end_at_once(4)", "raise SystemExit(4)"])
@pytest.mark.parametrize("stale", [True, False])
def test_the_file_with_the_token_goes_with_its_master(tmp_path, end, stale):
    own = tmp_path / f"swarmledger-{os.getuid()}"
    if stale:  # of a killed one on that port: its workers know it, so it is gone on with
        own.mkdir(mode=0o700)
        (own / "master-5999.token").write_text("0123\n")
        (own / "master-5999.token").chmod(0o600)
    said = MASTER.format(end=end).replace(
        "[token, token]", "['0123', run_token.made_here()]" if stale else "[token, token]"
    )
    environment = {k: v for k, v in os.environ.items() if k != "SWARMLEDGER_TOKEN"} | {"TMPDIR": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", said], cwd=ROOT, env=environment).returncode == 4
    assert list(own.iterdir()) == []
