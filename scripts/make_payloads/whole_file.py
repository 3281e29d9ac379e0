"""A file that is there once it is whole: what breaks off leaves nothing, and whatever stood there before as it was."""

import collections.abc
import contextlib
import pathlib
import typing

from locustfiles.contract.bad_input import BadInput


@contextlib.contextmanager
def whole_file(path: pathlib.Path) -> collections.abc.Iterator[typing.TextIO]:
    """Open for writing; its folder is made. Raises BadInput where it cannot be written."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "w", encoding="utf-8", newline="\n") as file:
            yield file
        part.replace(path)
    except OSError as e:
        raise BadInput(f"--out {path}: cannot be written ({e.strerror}); choose another place") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
