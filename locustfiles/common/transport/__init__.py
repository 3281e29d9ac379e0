"""Sockets, TLS, proxies, pools, receive stamps, signing: bytes out, stamped bytes in."""
