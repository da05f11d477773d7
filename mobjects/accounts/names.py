"""Names that settings and code share: words for a proxy in ``DJANGO_PROXY_ADDRESSES``, and the provider's."""

UNIX_SOCKET = "unix"
"""A proxy on this host that comes through a socket."""

PEER = "peer"
"""Whoever opened the connection: a site that is reached through one proxy only."""

PROVIDER_ID = "company"
"""Stands in the addresses that the provider leads back to."""

SUPERUSERS, EVERYBODY = STAND_INS = ("superusers", "everybody")
"""Stand for people without a group in ``ACCOUNTS_SECOND_FACTOR_GROUPS``."""
