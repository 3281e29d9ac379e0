"""A TCP relay that delays what it carries, each way, and can be cut: a line between machines where the kernel has no netem.

with delaying(("127.0.0.1", 5557), delay_s=0.02) as proxy: connect to proxy.port; proxy.cut(); proxy.restore()
python -m tests.helpers.delay_proxy --listen 10.0.0.1:5557 --to 10.0.0.2:5557 --delay-ms 20
"""

import argparse
import asyncio
import contextlib
import threading

CHUNK = 65536


class Proxy:
    """`relayed` counts connections, `carried` bytes."""

    def __init__(self, to: tuple[str, int], delay_s: float) -> None:
        self.to, self.delay_s = to, delay_s
        self.port = 0
        self.relayed = self.carried = 0
        self._down = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def listen(self, host: str, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """From another thread: reset every connection, and every new one, until `restore`."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        self._down = True
        for writer in self._writers:
            writer.transport.abort()

    def restore(self) -> None:
        self._down = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._down:
                return writer.transport.abort()
            there, back = await asyncio.open_connection(*self.to)
        except OSError:
            return writer.transport.abort()
        self.relayed += 1
        both = {writer, back}
        self._writers |= both
        try:
            ways = [asyncio.create_task(self._carry(*way)) for way in ((reader, back), (there, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writers -= both
            for way in ways:
                way.cancel()
            for each in both:
                each.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Every chunk leaves `delay_s` after it came, in order, however many are on their way."""
        waiting: asyncio.Queue = asyncio.Queue()
        sender = asyncio.create_task(self._send(waiting, writer))
        try:
            while chunk := await reader.read(CHUNK):
                waiting.put_nowait((self._loop.time() + self.delay_s, chunk))
            waiting.put_nowait(None)
            await sender
        except OSError:
            pass
        finally:
            sender.cancel()

    async def _send(self, waiting: asyncio.Queue, writer: asyncio.StreamWriter) -> None:
        while item := await waiting.get():
            due, chunk = item
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            writer.write(chunk)
            self.carried += len(chunk)
            await writer.drain()


@contextlib.contextmanager
def delaying(to: tuple[str, int], delay_s: float):
    """A relay on a free port of 127.0.0.1, in a thread of this process."""
    proxy, loop = Proxy(to, delay_s), asyncio.new_event_loop()
    loop.run_until_complete(proxy.listen("127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.cut()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        proxy._server.close()
        loop.close()


async def _main(listen: tuple[str, int], to: tuple[str, int], delay_s: float) -> None:
    proxy = Proxy(to, delay_s)
    await proxy.listen(*listen)
    print("relaying", flush=True)
    await asyncio.Event().wait()


def _address(text: str) -> tuple[str, int]:
    host, port = text.rsplit(":", 1)
    return host, int(port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Relay a TCP port with a delay each way.")
    parser.add_argument("--listen", type=_address, required=True)
    parser.add_argument("--to", type=_address, required=True)
    parser.add_argument("--delay-ms", type=float, required=True)
    options = parser.parse_args()
    asyncio.run(_main(options.listen, options.to, options.delay_ms / 1000))
