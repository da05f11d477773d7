"""The visitor's address: what a known proxy says, never what the visitor wrote."""

from __future__ import annotations

import pytest

from mobjects.accounts.addresses import find_address

BEHIND = {"PROXIES": ["10.0.0.0/8", "2001:db8:1::/48"]}
SOCKET = {"PROXIES": ["unix"]}
PEER = {"PROXIES": ["peer"]}


@pytest.mark.parametrize(
    ("accounts", "connected", "forwarded", "address"),
    [
        ({"PROXIES": []}, "192.0.2.1", "198.51.100.9", "192.0.2.1"),
        (BEHIND, "192.0.2.1", "198.51.100.9", "192.0.2.1"),
        (BEHIND, "10.1.1.1", "198.51.100.9", "198.51.100.9"),
        # What the visitor wrote themselves stands in front of what the proxy added.
        (BEHIND, "10.1.1.1", "127.0.0.1, 198.51.100.9", "198.51.100.9"),
        (BEHIND, "10.1.1.1", "127.0.0.1, 198.51.100.9, 10.2.2.2", "198.51.100.9"),
        (BEHIND, "::ffff:10.1.1.1", "2001:db8::7", "2001:db8::7"),
        (BEHIND, "2001:db8:1::1", "198.51.100.9", "198.51.100.9"),
        (BEHIND, "10.1.1.1", "", "10.1.1.1"),
        (BEHIND, "10.1.1.1", "198.51.100.9, unknown", "10.1.1.1"),
        (BEHIND, "10.1.1.1", "198.51.100.9:4711", "10.1.1.1"),
        (BEHIND, "", "198.51.100.9", ""),
        (SOCKET, "", "198.51.100.9", "198.51.100.9"),
        (SOCKET, "", "127.0.0.1, 198.51.100.9", "198.51.100.9"),
        (SOCKET, "192.0.2.1", "198.51.100.9", "192.0.2.1"),
        (PEER, "127.0.0.1", "203.0.113.5", "203.0.113.5"),
        (PEER, "127.0.0.1", "10.0.0.1, 203.0.113.5", "203.0.113.5"),
        (PEER, "", "10.0.0.1, 203.0.113.5", "203.0.113.5"),
        (PEER, "127.0.0.1", "", "127.0.0.1"),
        (PEER, "127.0.0.1", "x", "127.0.0.1"),
    ],
)
def test_only_what_a_known_proxy_says_is_believed(settings, accounts, connected, forwarded, address):
    settings.ACCOUNTS = {**settings.ACCOUNTS, **accounts}
    assert find_address(connected, forwarded) == address
