"""What an installation chose about sign-in: ``settings.ACCOUNTS``, read here only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network

from django.conf import settings

from mobjects.accounts.names import PEER, STAND_INS, UNIX_SOCKET


def idle_limit() -> timedelta:
    """How long a session lasts in which nobody does anything."""
    return timedelta(minutes=settings.ACCOUNTS["IDLE_MINUTES"])


def session_limit() -> timedelta:
    """How long a session lasts, whatever is done in it."""
    return timedelta(hours=settings.ACCOUNTS["SESSION_HOURS"])


def secret_key() -> bytes:
    """What the site signs with."""
    return settings.SECRET_KEY.encode()


def second_factor_groups() -> Sequence[str]:
    """Names of the groups whose people have to have a second factor."""
    return settings.ACCOUNTS["SECOND_FACTOR_GROUPS"]  # type: ignore[no-any-return]


def named_groups() -> Sequence[tuple[str, str]]:
    """Each group of ours that a setting names, with the name of the setting."""
    factor = [("ACCOUNTS_SECOND_FACTOR_GROUPS", name) for name in second_factor_groups() if name not in STAND_INS]
    return factor + [("ACCOUNTS_OIDC_GROUPS", ours) for _theirs, ours in group_map()]


def provider_name() -> str:
    """What the button to the provider says; "" where there is none."""
    return str(settings.ACCOUNTS["OIDC_NAME"])


def group_map() -> Sequence[tuple[str, str]]:
    """Groups of the provider, and which of ours each gives."""
    return settings.ACCOUNTS["OIDC_GROUPS"]  # type: ignore[no-any-return]


def groups_claim() -> str:
    """The claim of the ID token with the provider's groups."""
    return str(settings.ACCOUNTS["OIDC_GROUPS_CLAIM"])


def links_users() -> bool:
    """Whether who comes from the provider gets the user of the same name that is there already."""
    return bool(settings.ACCOUNTS["OIDC_LINK_USERS"])


def remote_user_header() -> str:
    """The header in which a proxy says who signed in there."""
    return str(settings.ACCOUNTS["REMOTE_USER_HEADER"])


def lock_minutes() -> int:
    """How long too many failed sign-ins lock a name and an address."""
    return int(settings.ACCOUNTS["LOCK_MINUTES"])


def token_days() -> int:
    """How many days a token of the API is good at most."""
    return int(settings.ACCOUNTS["TOKEN_DAYS"])


def requests_per_minute() -> int:
    """How many requests a minute a token of the API may make; an address may be refused as often."""
    return int(settings.ACCOUNTS["API_PER_MINUTE"])


def proxies() -> Sequence[IPv4Network | IPv6Network]:
    """The networks of the proxies whose ``X-Forwarded-For`` is believed."""
    return [ip_network(name) for name in settings.ACCOUNTS["PROXIES"] if name not in (UNIX_SOCKET, PEER)]


def proxy_is_on_socket() -> bool:
    """Whether a proxy that comes through a socket is believed."""
    return UNIX_SOCKET in settings.ACCOUNTS["PROXIES"]


def peer_is_proxy() -> bool:
    """Whether whoever opens a connection is a proxy that is believed."""
    return PEER in settings.ACCOUNTS["PROXIES"]
