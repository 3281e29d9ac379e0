"""What the next run is of, and where it goes: the scenario may be chosen anew between two runs of one web UI."""

import argparse
import pathlib

import gevent.lock
from locust.env import Environment

from locustfiles.common.calls.clock import Clock
from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.begun_manifest import default_path
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.swarm.run_uploads import RunUploads
from locustfiles.common.swarm.scenario_follower import keep_time
from locustfiles.common.swarm.worker import Worker
from locustfiles.common.swarm.worker_registry import WorkerRegistry
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.run_folder import RunFolder

OURS = "scenario://"  # Locust's page asks for a host otherwise
NOTHING_CHOSEN = "scenario: none is chosen; choose one in the start form (/swarmledger), or give --scenario FILE"


class NextRun:
    """`changing` is held while the scenario is changed: a start waits for that. `named`: where the next run goes if the start form
    was told a name."""

    def __init__(
        self,
        environment: Environment,
        options: argparse.Namespace,
        registry: WorkerRegistry,
        clock: Clock,
        inputs: Inputs | None,
    ) -> None:
        """inputs: of the scenario that was given at the start."""
        self.environment, self.registry, self.clock = environment, registry, clock
        self.options = argparse.Namespace(**vars(options))  # as given: whoever sends Locust's form may set any of them
        self.changing = gevent.lock.RLock()
        self.named: pathlib.Path | None = None
        self.uploads: RunUploads | None = None
        self._first = inputs.scenario_file if inputs else None  # --run-dir is its
        self._folders: set[pathlib.Path] = set()

    def choose(self, inputs: Inputs, side: Worker | None) -> None:
        """The scenario of the runs from now on; none is under way. side: this process's own, without workers. Raises NoCredentials
        or BadInput, and nothing has changed then."""
        sender = side.sender_of(inputs) if side and side.inputs.content != inputs.content else None
        new = self.registry.inputs is None or sender is not None
        self._first = self._first or inputs.scenario_file
        keep_time(self.environment, inputs)
        self.registry.choose(inputs)
        if side and sender:
            side.take_up(inputs, sender)
        if side and new:
            side.join("local")

    @property
    def parent(self) -> pathlib.Path:
        """The folder of the runs."""
        return pathlib.Path(self.options.run_dir).parent if self.options.run_dir else pathlib.Path("runs")

    def folder(self, inputs: Inputs) -> pathlib.Path:
        """--run-dir, else runs/<UTC time>-<scenario>; a second run in this process gets a suffix. A scenario that was chosen later
        has no --run-dir of its own, and goes beside it."""
        own = self.options.run_dir and inputs.scenario_file == self._first
        first = pathlib.Path(self.options.run_dir) if own else self.parent / default_path(inputs).name
        path, number = first, 2
        while path in self._folders:
            path, number = first.with_name(f"{first.name}-{number}"), number + 1
        return path

    def begin(self) -> RunRecorder:
        """The run that was started. Raises BadInput."""
        with self.changing:
            named, self.named = self.named, None
            inputs = self.registry.inputs
            if inputs is None:
                raise BadInput(NOTHING_CHOSEN)
            if unfit := self.registry.choice.settle():
                raise BadInput("; ".join(unfit))
        path, options = named or self.folder(inputs), self.options
        if self.environment.web_ui and (self.environment.host or OURS).startswith(OURS):
            self.environment.host = f"{OURS}{inputs.scenario.name}"  # not what an older page has sent with its Start
        resume = options.resume and not named and path == pathlib.Path(options.run_dir)
        if self.uploads:
            self.uploads.hold(path)
        try:
            run = RunRecorder(self.environment, inputs, path, self.clock, options.overwrite and not named, resume)
        except OSError as e:
            raise RunFolder(path).unusable(e) from None
        self._folders.add(path)
        if self.uploads:
            self.uploads.begin(path, run)
        return run
