"""Where a service is reached, as botocore resolves it, with no more of botocore's data than that takes.

A client reads the whole description of its service, and the endpoints of all services: 8 MB that stay in a process that calls by
other means. Here botocore makes its client of the same files, and the operations, shapes and other services in them are passed over.
"""

import gzip
import pathlib
import typing

import botocore.loaders
import botocore.session
import msgspec

#: as endpoints.json has those that are asked for
_SERVICES = {
    "bedrock-runtime",
    "bedrock-agent-runtime",
    "runtime.sagemaker",
    "inferencerouter-runtime.sagemaker",
    "gateway-runtime.sagemaker",
    "s3",
}
_Raw = dict[str, msgspec.Raw]


class _Files(botocore.loaders.JSONFileLoader):
    """botocore's own files, the two large ones in part."""

    def load_file(self, file_path: str) -> typing.Any:
        """`file_path` without its extension, as botocore asks for it."""
        if read := _IN_PART.get(pathlib.Path(file_path).name):
            plain, packed = pathlib.Path(f"{file_path}.json"), pathlib.Path(f"{file_path}.json.gz")
            if plain.is_file():
                return read(plain.read_bytes())
            if packed.is_file():
                return read(gzip.decompress(packed.read_bytes()))
        return super().load_file(file_path)


def _service(text: bytes) -> dict[str, typing.Any]:
    """A service's description without what it can do."""
    parts = msgspec.json.decode(text, type=_Raw)
    return {name: msgspec.json.decode(part) for name, part in parts.items() if name not in ("operations", "shapes")} | {
        "operations": {}, "shapes": {},
    }  # fmt: skip


def _endpoints(text: bytes) -> dict[str, typing.Any]:
    """The endpoints of the services that are asked for."""
    parts = msgspec.json.decode(text, type=_Raw)
    partitions = [_partition(part) for part in msgspec.json.decode(parts.pop("partitions"), type=list[_Raw])]
    return {name: msgspec.json.decode(part) for name, part in parts.items()} | {"partitions": partitions}


def _partition(parts: _Raw) -> dict[str, typing.Any]:
    services = msgspec.json.decode(parts.pop("services"), type=_Raw)
    wanted = {name: msgspec.json.decode(services[name]) for name in services.keys() & _SERVICES}
    return {name: msgspec.json.decode(part) for name, part in parts.items()} | {"services": wanted}


_IN_PART: dict[str, typing.Callable[[bytes], typing.Any]] = {"endpoints": _endpoints, "service-2": _service}


class ServiceEndpoints:
    """Of one process: by the environment, the profile and the region."""

    def __init__(self, region: str | None) -> None:
        """Raises BotoCoreError."""
        self._session = botocore.session.get_session()
        if region is not None:
            self._session.set_config_variable("region", region)
        loader = botocore.loaders.create_loader(self._session.get_config_variable("data_path"))
        loader.file_loader = _Files()
        self._session.register_component("data_loader", loader)

    def url(self, service: str, given: str | None) -> str:
        """Of a service by boto3's name; given: the scenario's own. Raises ValueError or BotoCoreError."""
        client = self._session.create_client(
            service,
            endpoint_url=given,
            # the keys are not used: a client would look for its own
            aws_access_key_id="unused",
            aws_secret_access_key="unused",
        )
        url: str = client.meta.endpoint_url
        return url
