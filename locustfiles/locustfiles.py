"""Stands in for the package around it where only this folder is on sys.path: `locust -f` puts a locustfile's own folder
there and not the folder above it, so that `locustfiles.common` is found from any working folder, installed or not."""

import pathlib

__path__ = [str(pathlib.Path(__file__).resolve().parent)]
