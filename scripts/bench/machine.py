"""What a bench was measured on."""

import importlib.metadata
import os
import pathlib
import platform


def machine() -> str:
    """Cores, processor, and the versions that clients of ours and the plain ones stand on."""
    found = [line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = found[0].split(":", 1)[1].strip() if found else platform.machine()
    versions = ", ".join(
        f"{package} {importlib.metadata.version(package)}" for package in ("locust", "boto3", "gevent")
    )
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}, {versions}"
