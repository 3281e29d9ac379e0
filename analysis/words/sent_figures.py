"""SentFigures: how large a stage's requests were, where there were media in them."""

import dataclasses

from analysis.words.figure_fields import number


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SentFigures:
    """Bytes of the window's requests."""

    request_bytes_mean: float | None = number(
        "mean bytes of the requests' bodies, where there were media in any of them", "bytes", heading="request bytes"
    )
    media_bytes_mean: float | None = number(
        "mean bytes of images, documents, sound and video in the requests that had some, decoded",
        "bytes",
        heading="media bytes",
    )
