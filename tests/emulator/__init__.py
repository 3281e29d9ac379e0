"""The local endpoint as a process of its own: every surface, fault and time of it, on the wire."""
