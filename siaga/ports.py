"""Ports: free ones, and a clear word where one is taken."""

import socket

from siaga.errors import PortTakenError


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def check_free(host: str, port: int, option: str) -> None:
    """Raise PortTakenError, naming the option to change, if somebody listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise PortTakenError(host, port, option) from error
