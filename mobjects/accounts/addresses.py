"""From which address a request came: behind known proxies the one that they say, else the one that connected."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.http import HttpRequest, HttpResponse

from mobjects.accounts import account_settings

UNKNOWN = "0.0.0.0"  # noqa: S104 -- what is kept where there is no address: a socket, a command
Address = IPv4Address | IPv6Address


class ClientAddressMiddleware:
    """Puts the visitor's address into ``REMOTE_ADDR``, so that whoever reads it gets the same.

    ``X-Forwarded-For`` is written by the visitor, and each proxy adds at its end whom it was called by. So it is read
    from the end, and only as long as the address that said so belongs to a proxy of ``DJANGO_PROXY_ADDRESSES``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        connected = request.META.get("REMOTE_ADDR", "")
        vars(request)["came_by_proxy"] = _is_believed(connected)
        request.META["REMOTE_ADDR"] = find_address(connected, request.META.get("HTTP_X_FORWARDED_FOR", ""))
        return self._get_response(request)


def find_address(connected: str, forwarded: str) -> str:
    """The visitor's address, without a proxy's.

    Args:
        connected: who opened the connection; "" for a socket.
        forwarded: the header ``X-Forwarded-For``; whatever it holds is fine.
    """
    said, believed = connected, _is_believed(connected)
    for name in reversed(forwarded.split(",")):
        address = _parse(name)
        if not believed or address is None:
            break
        said, believed = str(address), _is_proxy(str(address))
    return said


def client_address(request: HttpRequest) -> str:
    """The address a request came from, as a table can hold it."""
    return str(_parse(request.META.get("REMOTE_ADDR", "")) or UNKNOWN)


def _is_believed(connected: str) -> bool:
    return account_settings.peer_is_proxy() or _is_proxy(connected)


def _is_proxy(name: str) -> bool:
    address = _parse(name)
    if address is None:
        return name == "" and account_settings.proxy_is_on_socket()
    return any(address in network for network in account_settings.proxies())


def _parse(name: str) -> Address | None:
    try:
        address = ip_address(name.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
