"""The load side without Locust: requests, answers, transport, planning, recording, against real sockets and by hand."""
