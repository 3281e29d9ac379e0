"""Runs of this process whose --run-dir is in S3: each has a folder of this machine, as ever, and a process beside it that sends it."""

import argparse
import contextlib
import logging
import pathlib
import typing

import gevent
from locust.env import Environment

from locustfiles.common.planning.inputs import Inputs
from locustfiles.common.recording.run_recorder import RunRecorder
from locustfiles.common.swarm.run_place import check_options, mode_of, place_of_run
from locustfiles.common.watching.uploader import Uploader
from locustfiles.contract.exit_codes import NOT_TRUSTED, complain
from locustfiles.contract.s3.address import Address, address_of, is_address

log = logging.getLogger("swarmledger")


class RunUploads:
    """Nothing of it is done where --run-dir is a folder. `address`: of the run that was given at the start; None: in a folder."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Hold the address, fetch what is there of a run that goes on, and put this machine's folder in the place of --run-dir. Raises
        BadInput."""
        check_options(options)
        self._options = options
        self.address: Address | None = None
        self._held: dict[pathlib.Path, Uploader] = {}  # folder -> that of a run that has not begun
        self._now: tuple[Uploader, RunRecorder] | None = None
        self._ending: list[tuple[Uploader, gevent.Greenlet]] = []
        self._left: list[str] = []  # what is not all there, of the runs that have ended
        if is_address(options.run_dir):
            self.address = address_of(options.run_dir, "--run-dir")
            options.run_dir = str(self.address.copy)
            self._hold(self.address, mode_of(options), self.address.copy)

    @contextlib.contextmanager
    def attached(self, environment: Environment) -> typing.Iterator[None]:
        """Within, whoever records the runs adds its listeners: those of this one are called behind them. Of `quitting` Locust calls
        the last one first."""
        if self.address:
            environment.events.quitting.add_listener(self._on_quitting)
        yield
        if self.address:
            environment.events.test_stop.add_listener(self._on_stop)
            environment.events.quit.add_listener(self._on_quit)

    def place(self, inputs: Inputs | None) -> int:
        """As `place_of_run`; of a run that is complete what S3 lacks is sent. Raises SystemExit and BadInput."""
        try:
            return place_of_run(self._options, inputs)
        except SystemExit as e:
            for folder, uploader in self._held.items():
                uploader.follow(folder)
                self._end(uploader, folder)
            self._on_quit()
            raise SystemExit(NOT_TRUSTED if self._left else e.code) from None

    def _hold(self, address: Address, mode: str, folder: pathlib.Path) -> None:
        uploader = Uploader(address, self._options.run_encryption)
        try:
            uploader.open(mode, folder)
        except BaseException:  # Ctrl-C, too
            uploader.close()
            raise
        self._held[folder] = uploader

    def hold(self, folder: pathlib.Path) -> None:
        """The address of a run that is about to begin: a later one's is beside the first. Raises BadInput."""
        if self.address and folder not in self._held:
            beside = self.address.beside(folder.name)
            self._hold(address_of(str(beside), ""), "begin", folder)

    def begin(self, folder: pathlib.Path, run: RunRecorder) -> None:
        if uploader := self._held.pop(folder, None):
            self._now = uploader, run
            uploader.follow(folder)

    def close(self) -> None:
        """Of runs that will not begin."""
        for uploader in self._held.values():
            uploader.close()
        self._held.clear()

    def skip(self) -> bool:
        """By Ctrl-C: what is not sent by now is not waited for; False where nothing is."""
        skipped = [uploader.skip() for uploader, _ in self._ending]
        return any(skipped)

    def _end(self, uploader: Uploader, folder: pathlib.Path) -> None:
        if left := uploader.end(folder):
            option = f" --encryption {self._options.run_encryption}" if self._options.run_encryption else ""
            self._left.append(
                f"{uploader.address}: not all of the run is there: {left}. All of it is in {folder}: "
                f"python -m analysis upload {folder} {uploader.address}{option}"
            )
            if not self._options.headless:  # whose end is the process's, which tells it
                log.error("%s", self._left[-1])

    def _on_stop(self, **_: object) -> None:
        if self._now and self._now[1].closed:
            (uploader, run), self._now = self._now, None
            self._ending.append((uploader, gevent.spawn(self._end, uploader, run.folder.path)))

    def _on_quitting(self, environment: Environment, **_: object) -> None:
        """Fires on every way out, sometimes twice."""
        self.close()
        self._on_stop()
        gevent.joinall([greenlet for _, greenlet in self._ending])
        if self._left:
            environment.process_exit_code = NOT_TRUSTED

    def _on_quit(self, **_: object) -> None:
        for line in self._left:
            complain(line)
