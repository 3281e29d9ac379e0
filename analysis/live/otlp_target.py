"""A collector that speaks OTLP over HTTP."""

import gzip
import http.client
import ssl
import urllib.error
import urllib.request

from locustfiles.contract.otlp_settings import OtlpSettings

USER_AGENT = "OTel-OTLP-Exporter-Python-swarmledger"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Headers that hold a key go nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def post(settings: OtlpSettings, body: bytes) -> str | None:
    """Send an export request; what went wrong, or None. No header and no answer's text is in it: either may hold a key."""
    headers = {"Content-Type": "application/x-protobuf", "User-Agent": USER_AGENT} | settings.headers
    if settings.gzip:
        headers["Content-Encoding"], body = "gzip", gzip.compress(body)
    request = urllib.request.Request(settings.url, body, headers, method="POST")
    try:
        context = ssl.create_default_context(cafile=settings.certificate)
        opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=settings.timeout_s) as answer:
            answer.read(1 << 16)
            return None
    except urllib.error.HTTPError as e:
        e.close()
        return f"it answered {e.code}"
    except TimeoutError:
        return f"no answer in {settings.timeout_s:g} s"
    except urllib.error.URLError as e:
        reason = e.reason
        return f"cannot be reached ({getattr(reason, 'strerror', None) or type(reason).__name__})"
    except (OSError, ValueError, http.client.HTTPException) as e:
        return f"cannot be reached ({getattr(e, 'strerror', None) or type(e).__name__})"
