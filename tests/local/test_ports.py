"""Free ports."""

from __future__ import annotations

import socket

from mobjects.local.ports import HOST, find_free_port, is_port_open


def test_the_preferred_port_is_taken_where_it_is_free():
    port = find_free_port()
    assert find_free_port(port) == port
    assert not is_port_open(port)


def test_another_one_is_taken_where_somebody_listens():
    with socket.create_server((HOST, 0)) as server:
        taken = server.getsockname()[1]
        assert is_port_open(taken)
        assert find_free_port(taken) not in (0, taken)
