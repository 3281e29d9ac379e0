"""h2's connection, a server's, with room for what a load test sends."""

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings

_STREAMS_AT_ONCE = 10_000  # the engines and quotas limit, not the connection
_STREAM_WINDOW, _CONNECTION_WINDOW = 2**20, 2**24  # of requests: a long prompt does not wait for round trips


class Frames(H2Connection):
    """It takes a GOAWAY for no end. A client that sends one opens no more streams, and still wants the answers of those it has
    (RFC 9113, 6.8): Node's `close()` does so."""

    def __init__(self) -> None:
        config = H2Configuration(
            client_side=False, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        super().__init__(config)
        values = {
            SettingCodes.MAX_CONCURRENT_STREAMS: _STREAMS_AT_ONCE,
            SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
            SettingCodes.MAX_HEADER_LIST_SIZE: self.DEFAULT_MAX_HEADER_LIST_SIZE,
        }
        self.local_settings = Settings(client=False, initial_values=values)
        self.initiate_connection()
        self.increment_flow_control_window(_CONNECTION_WINDOW)

    def _receive_goaway_frame(self, frame):
        return [], []

    def send_more(self, stream_id: int, data: bytes) -> None:
        """`send_data` of a stream that goes on, within the windows: no state changes, so that the frame and the windows are all
        that there is to do. It was a fifth of the time that an event takes."""
        self._data_to_send += len(data).to_bytes(3) + b"\0\0" + stream_id.to_bytes(4) + data
        self.streams[stream_id].outbound_flow_control_window -= len(data)
        self.outbound_flow_control_window -= len(data)
