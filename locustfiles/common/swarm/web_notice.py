"""Why a start was refused, on the web UI's page: Locust's own page shows that the run has stopped, and not why."""

import typing

PATH = "/swarmledger-notice"
SCRIPT = """
<script>
  (() => {
    const notice = document.createElement("div");
    notice.id = "swarmledger-notice";
    notice.setAttribute("role", "alert");
    notice.style.cssText = "position:fixed;left:0;right:0;bottom:0;z-index:9999;padding:16px 24px;"
      + "background:#b71c1c;color:#fff;font:16px sans-serif";
    notice.hidden = true;
    document.body.append(notice);
    const look = async () => {
      try {
        const told = await (await fetch(".PATH")).json();
        notice.textContent = told.refused ? "Refused: " + told.refused : "";
        notice.hidden = !told.refused;
      } catch {}  // Locust has ended
      setTimeout(look, 1000);
    };
    look();
  })();
</script>
""".replace("PATH", PATH)


def show(web_ui, refused: typing.Callable[[], str | None]) -> None:
    """Add it to Locust's page. refused() -> why the last start was, or None."""
    views, base = web_ui.app.view_functions, web_ui.environment.parsed_options.web_base_path or ""
    page = views["locust.index"]

    def page_with_notice():
        answer = page()
        return answer.replace("</body>", f"{SCRIPT}</body>") if isinstance(answer, str) else answer  # else to the login

    views["locust.index"] = page_with_notice
    web_ui.app.add_url_rule(base + PATH, "swarmledger", web_ui.auth_required_if_enabled(lambda: {"refused": refused()}))
