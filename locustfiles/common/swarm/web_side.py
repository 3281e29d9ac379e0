"""What is ours in Locust's web UI: every view is added here, but the start form, which acts on the whole process."""

import argparse
import logging
import typing

from locustfiles.common.swarm.master import Master
from locustfiles.common.watching.report_maker import ReportMaker
from locustfiles.common.web import live_json, login, metrics, notice
from locustfiles.common.web.guard import WebGuard, open_to_all
from locustfiles.common.web.page import Page
from locustfiles.common.web.views import WebViews

log = logging.getLogger("swarmledger")


def begin_web_ui(web_ui: typing.Any, master: Master, options: argparse.Namespace) -> None:
    """Raises BadInput."""
    check = login.use(web_ui, login.users_of(options)) if options.web_login else None
    if caution := open_to_all(web_ui.host, bool(options.web_login)):
        log.warning(caution)
    views = WebViews(web_ui, master.files)
    notice.show(web_ui, master.told, views.said)
    live_json.serve(web_ui, master.observer.document, master.stage_control, master.answer)
    metrics.serve(web_ui, master.metrics_out.scrape, check)
    Page(web_ui, master.folder, lambda: master.next_run.parent, ReportMaker())
    guard = WebGuard(web_ui.app.wsgi_app, web_ui.host, options.web_origin)
    web_ui.app.wsgi_app = guard
