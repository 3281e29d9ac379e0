"""What the web UI's start form does: it chooses a scenario and a run's name, and starts."""

import collections.abc
import pathlib
import time

import gevent

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.planning.loading import load_beside_the_loop
from locustfiles.common.swarm.master import Master
from locustfiles.common.swarm.worker import Worker
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.run_folder import RunFolder

BEGIN_S = 90.0  # for workers to introduce themselves, and to load what was chosen
BUSY = "a run is under way; stop it, and start when it has ended"
LONGEST_NAME = 200


class ScenarioStarter:
    """`given`: the path that the command line named; begin_own() makes this process's own sending side, where it has one."""

    def __init__(
        self,
        master: Master,
        services: tuple[str, ...],
        given: str,
        begin_own: collections.abc.Callable[[Inputs], Worker | None],
    ) -> None:
        self.master, self.services, self.given, self._begin_own = master, services, given, begin_own

    @property
    def chosen(self) -> Inputs | None:
        return self.master.inputs

    @property
    def busy(self) -> str | None:
        """Why nothing can be chosen or started now."""
        runner = self.master.runner
        stopping = runner.state in ("stopping", "cleanup")
        return BUSY if runner.shape_greenlet is not None or self.master.registry.under_way() or stopping else None

    def load(self, file: str) -> Inputs:
        """Raises BadInput."""
        return load_beside_the_loop(file, self.services)

    def folder(self, inputs: Inputs) -> pathlib.Path:
        """Where its next run goes, unless it is given a name."""
        return self.master.next_run.folder(inputs)

    def named(self, name: str) -> pathlib.Path:
        """A run's folder beside the others. Raises BadInput for a name that is none, or used."""
        parent = self.master.next_run.parent
        if not name.isprintable() or set(name) & {"/", "\\"} or name in (".", "..") or len(name) > LONGEST_NAME:
            raise BadInput(
                f"run name: no folder's name; give up to {LONGEST_NAME} letters, figures, `-`, `_`, `.` or spaces, without `/`"
            )
        path = parent / name
        if path.is_symlink():
            raise BadInput(f"{path}: is a link; choose another name")
        RunFolder(path).check_free()
        return path

    def choose(self, file: str) -> None:
        """The scenario of the runs from now on, in this process and in all workers. Raises BadInput."""
        next_run = self.master.next_run
        with next_run.changing:
            self._refuse_if_busy()
            inputs = self.load(file)
            self._refuse_if_busy()
            self.master.worker_side = self.master.worker_side or self._begin_own(inputs)
            next_run.choose(inputs, self.master.worker_side)
            if unfit := self.master.registry.choice.settle():
                raise BadInput("; ".join(unfit))

    def start(self, file: str, name: str) -> pathlib.Path:
        """Choose and start; the run's folder. Raises BadInput where no run begins."""
        master, next_run = self.master, self.master.next_run
        with next_run.changing:
            self._refuse_if_busy()
            path = self.named(name) if name else None
            self.choose(file)
            if path is None and self.chosen and not (next_run.options.overwrite or next_run.options.resume):
                RunFolder(self.folder(self.chosen)).check_free()
            next_run.named, before = path, master.starts
            master.runner.start_shape()
        return self._begun(before)

    def _refuse_if_busy(self) -> None:
        if self.busy:
            raise BadInput(self.busy)

    def _begun(self, before: int) -> pathlib.Path:
        """before: how many starts there had been."""
        over, master = time.monotonic() + BEGIN_S, self.master
        while master.starts == before:
            if master.runner.shape_greenlet is None or time.monotonic() > over:
                master.next_run.named = None
                raise BadInput("no worker is ready; start workers with --worker --master-host, then start again")
            gevent.sleep(0.02)
        if master.run is None:
            raise BadInput(master.refused or BUSY)
        return master.run.folder.path
