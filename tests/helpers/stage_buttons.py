"""The live document and the buttons of the stage under way, over HTTP as the page's script has them."""

import contextlib
import json
import typing
import urllib.error
import urllib.parse
import urllib.request

from tests.helpers.locust_process import free_port, one_locust
from tests.helpers.patience import until


def asked(url: str, path: str, **form: object) -> tuple[int, str]:
    """Status and text; a POST where there is a form."""
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.urlopen(f"{url}{path}", data=data, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def press(url: str, do: str) -> tuple[int, str]:
    return asked(url, "/swarmledger/stage", do=do)


def document(url: str) -> dict[str, typing.Any]:
    """The live one; empty while nothing answers."""
    with contextlib.suppress(OSError):
        status, text = asked(url, "/swarmledger/live.json")
        return json.loads(text) if status == 200 else {}
    return {}


def load(url: str) -> dict[str, typing.Any]:
    """How the load stands; empty while nothing answers."""
    return document(url).get("load") or {}


def await_phase(url: str, place: int, phase: str) -> dict[str, typing.Any]:
    """The load when the stage of that place is in that phase."""
    found: dict[str, typing.Any] = {}

    def there() -> bool:
        found.update(load(url))
        stage = found.get("stage") or {}
        return (stage.get("place"), stage.get("phase")) == (place, phase)

    until(there, lambda: f"stage {place} in {phase}: {found}")
    return found


@contextlib.contextmanager
def started(scenario, run, *more: object, locust=one_locust, **kw):
    """(process or crew, the URL) of a run that the web UI has begun, and that ends by itself."""
    port = free_port()
    options = ("--web-port", port, "--autostart", "--autoquit", 0, *more)
    with locust(scenario, run, *options, headless=False, **kw) as process:
        yield process, f"http://127.0.0.1:{port}"
