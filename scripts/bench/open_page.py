"""The live page as a program asks for it that shows it, without the drawing."""

import contextlib
import http.client
import json
import threading
import time

ASK = "/swarmledger/live.json?after={}"


class Page(threading.Thread):
    """Asks as a browser does that shows the page, while `open` is set."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port, self.open, self.over = port, False, False
        self.got: list[tuple[float, float | None, int]] = []  # when, age of its figures, bytes

    def run(self) -> None:
        seq = 0
        while not self.over:
            if not self.open:
                time.sleep(0.05)
                continue
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                seq = self._ask(seq)
                continue
            time.sleep(0.5)

    def _ask(self, seq: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", ASK.format(seq))
            text = connection.getresponse().read()
        told, now = json.loads(text), time.time()
        at = (told["figures"] or {}).get("at")
        self.got.append((now, None if at is None else now - at, len(text)))
        return int(told["seq"])
