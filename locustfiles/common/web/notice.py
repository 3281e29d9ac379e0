"""What Locust's page does not say: why a start was refused, what ended a run, where the LLM page is, how to log out."""

import json
import typing

from locustfiles.common.web.locust_ui import add_to_page, add_view

PATH = "/swarmledger-notice"
SCRIPT = """
<script>
  (() => {
    const locust = window.templateArgs;  // in other states its page asks for no news
    if (["cleanup", "stopping"].includes(locust?.state)) locust.state = "running";
    const notice = document.createElement("div");
    notice.id = "swarmledger-notice";
    notice.setAttribute("role", "alert");
    notice.style.cssText = "position:fixed;left:0;right:0;bottom:0;z-index:9999;padding:16px 24px;max-height:40vh;overflow:auto;"
      + "background:#b71c1c;color:#fff;font:16px sans-serif;white-space:pre-line";
    notice.hidden = true;
    document.body.append(notice);
    const links = document.createElement("nav");
    links.setAttribute("aria-label", "Swarmledger");
    links.style.cssText = "position:fixed;left:12px;bottom:12px;z-index:9998;display:flex;gap:16px;padding:8px 14px;"
      + "border-radius:6px;background:#0b57d0;box-shadow:0 1px 4px #0006;font:15px sans-serif";
    for (const [href, words] of LINKS) {
      const link = document.createElement("a");
      link.href = href;
      link.textContent = words;
      link.style.color = "#fff";
      links.append(link);
    }
    document.body.append(links);
    new ResizeObserver(() => { links.style.bottom = `${notice.offsetHeight + 12}px`; }).observe(notice);
    const look = async () => {
      try {
        const told = await (await fetch(".PATH")).json();
        const lines = [...(told.refused ? ["Refused: " + told.refused] : []), ...told.mind, ...told.said];
        notice.textContent = lines.join("\\n");
        notice.hidden = !lines.length;
        dispatchEvent(new CustomEvent("swarmledger-told", { detail: told }));
      } catch {}  // Locust has ended
      setTimeout(look, 1000);
    };
    look();
  })();
</script>
"""


class Told(typing.NamedTuple):
    """Of the last start."""

    refused: str | None  # why it came to nothing
    mind: list[str]  # what ended the run early, what is missing in it or cannot be trusted
    scenario: str | None = None  # what Start begins
    asks: dict[str, typing.Any] | None = None  # {"text", "id"}: a run that waits for an answer


def show(web_ui: typing.Any, told: typing.Callable[[], Told], said: typing.Callable[[], list[str]]) -> None:
    """Add it to Locust's page. said() -> what was answered to a button a moment ago."""
    links = [("./swarmledger", "LLM figures, live")] + [("./swarmledger-logout", "Log out")] * bool(web_ui.web_login)
    add_to_page(web_ui, SCRIPT.replace("LINKS", json.dumps(links)).replace("PATH", PATH))

    def notice() -> dict[str, typing.Any]:
        return told()._asdict() | {"said": said()}

    add_view(web_ui, PATH, "swarmledger", notice)
