"""Words that stand for a proxy in ``DJANGO_PROXY_ADDRESSES`` where there is no address; settings import them."""

UNIX_SOCKET = "unix"
"""A proxy on this host that comes through a socket."""

PEER = "peer"
"""Whoever opened the connection: a site that is reached through one proxy only."""
