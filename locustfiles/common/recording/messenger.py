"""Sends the messages of `messages`, and hands those that come to whoever registered for them.

What is no message of this version is handled here alone: logged, and as good as lost.
"""

import collections.abc
import logging
import typing

import pydantic

from locustfiles.common.recording.messages import Called, CallMade, EndpointsChecked, Message, RecordsReport

log = logging.getLogger("swarmledger")


class Runner(typing.Protocol):
    """What is needed of Locust's runners."""

    def send_message(self, msg_type: str, data: typing.Any = None, client_id: str | None = None) -> None: ...
    def register_message(
        self, msg_type: str, listener: collections.abc.Callable[..., None], concurrent: bool = False
    ) -> None: ...


M = typing.TypeVar("M", bound=Message)


def send(runner: Runner, message: Message, worker: str | None = None) -> None:
    """To the master or, from it, to one worker; None: to all."""
    runner.send_message(message.KIND, message.data(), client_id=worker)


def register(
    runner: Runner, kind: type[M], handler: collections.abc.Callable[[M, str], None], concurrent: bool = False
) -> None:
    """handler(message, the worker's id) is called for every message of this kind; concurrent: in a greenlet of its own."""
    reader = _reader(kind)

    def listen(environment: object, msg: typing.Any, **_: object) -> None:
        message = _read(kind, reader, msg.data, msg.node_id)
        if message is not None:
            handler(message, msg.node_id)

    runner.register_message(kind.KIND, listen, concurrent)


def records_in(report: collections.abc.Mapping[str, typing.Any], worker: str) -> RecordsReport | None:
    """Those in a report of Locust's, if there are any."""
    if RecordsReport.KIND not in report:
        return None
    return _read(RecordsReport, _REPORTS, report[RecordsReport.KIND], worker)


#: what a message that has several forms is read as
_FORMS: dict[type[Message], typing.Any] = {Called: EndpointsChecked | CallMade}


def _reader(kind: type[M]) -> pydantic.TypeAdapter[M]:
    return pydantic.TypeAdapter(_FORMS.get(kind, kind))


_REPORTS = _reader(RecordsReport)


def _read(kind: type[M], reader: pydantic.TypeAdapter[M], data: object, worker: str) -> M | None:
    """None where it is not what this version sends."""
    try:
        return reader.validate_python(data)
    except pydantic.ValidationError as e:
        first = e.errors(include_input=False, include_url=False)[0]
        ignored(kind, worker, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        return None


def ignored(kind: type[Message], worker: str, why: object) -> None:
    """A message that cannot be read, or not be used."""
    log.error(
        "A message that this version does not know is ignored (%s, worker %s: %s); have master and workers run the same one",
        *(kind.KIND, worker, why),
    )
