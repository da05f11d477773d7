"""Tokens of the API: making them, knowing them again, and what they may do: never more than their person may now."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from mobjects import clock
from mobjects.accounts import account_settings
from mobjects.accounts.backend import AccountBackend
from mobjects.accounts.second_factor import has_factor, needs_factor
from mobjects.audit.events import record_event
from mobjects.models import ApiToken, EventKind
from mobjects.permissions import RECORD_MODELS

_TEXT = re.compile(r"ma_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_NOTED_EVERY = timedelta(minutes=1)
"""The time of a token's last use is not written for each request."""


def _on_records(*actions: str) -> frozenset[str]:
    return frozenset(f"mobjects.{action}_{model}" for action in actions for model in RECORD_MODELS)


_HISTORY = frozenset(f"mobjects.view_{model}" for model in ("syncjob", "syncbatch", "syncresult"))
SCOPES: dict[str, frozenset[str]] = {
    "read": _on_records("view"),
    "write": _on_records("view", "add", "change", "delete"),
    "import": _on_records("view", "import", "export") | {"mobjects.view_import"},
    "history": _HISTORY,
    "send": _HISTORY | {"mobjects.sync_records"},
    "pull": _HISTORY | {"mobjects.pull_records"},
    "schedules": frozenset(f"mobjects.{action}_schedule" for action in ("view", "add", "change")),
}
"""The rights that each scope lets through, as far as the person has them."""

SCOPE_WORDS = {
    "read": _("Read records"),
    "write": _("Read, change and create records"),
    "import": _("Import files"),
    "history": _("Read the sync history"),
    "send": _("Send records to Marketo, and steer jobs"),
    "pull": _("Read records from Marketo"),
    "schedules": _("Read, change and create schedules"),
}


class TokenRefusal(StrEnum):
    """Why a token is not good."""

    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ADDRESS = "address"
    PERSON = "person"
    FACTOR = "factor"


REFUSAL_WORDS = {
    TokenRefusal.UNKNOWN: _("There is no such token. Make one on the page “Your API tokens”."),
    TokenRefusal.REVOKED: _("The token was revoked. Make a new one on the page “Your API tokens”."),
    TokenRefusal.EXPIRED: _("The token has expired. Make a new one on the page “Your API tokens”."),
    TokenRefusal.ADDRESS: _("The token may not be used from this address."),
    TokenRefusal.PERSON: _("The token’s person may not sign in any more."),
    TokenRefusal.FACTOR: _("The token’s person needs a second factor and has none."),
}


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """What became of a token: whose it is, or why it is refused. ``token`` is ``None`` where there is none."""

    token: ApiToken | None = None
    user: User | None = None
    refusal: TokenRefusal | None = None


@transaction.atomic
def make_token(
    user: User, name: str, days: int, *, by: User, scopes: Sequence[str] = (), networks: Sequence[str] = ()
) -> tuple[ApiToken, str]:
    """Make a token of a person.

    Args:
        user: whose rights it has.
        days: so long it is good.
        by: who makes it.
        scopes: keys of :data:`SCOPES`; none for all that the person may.
        networks: IP networks from which it may be used; none for everywhere.

    Returns:
        The token as it is kept, and its text, which is kept nowhere.
    """
    prefix = secrets.token_hex(4)
    text = f"ma_{prefix}_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        name=name,
        user=user,
        prefix=prefix,
        digest=_digest(text),
        scopes=list(scopes),
        networks=list(networks),
        created_by=by.get_username(),
        expires_at=clock.now() + timedelta(days=days),
    )
    record_event(
        EventKind.TOKEN_MADE,
        on=token,
        user=by,
        detail={"of": user.get_username(), "scopes": token.scopes, "networks": token.networks, "days": days},
    )
    return token, text


@transaction.atomic
def revoke_token(token: ApiToken, by: User) -> bool:
    """Have a token be good for nothing from now on; whether it was good for something."""
    mine = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    revoked = mine.update(revoked_at=clock.now(), revoked_by=by.get_username())
    if revoked:
        record_event(EventKind.TOKEN_REVOKED, on=token, user=by, detail={"of": token.user.get_username()})
    return bool(revoked)


def check_token(text: str, address: str) -> TokenCheck:
    """Whose token a text is, and whether it is good now, from there.

    Args:
        text: as it was sent; anything is fine.
        address: from where.
    """
    found = _TEXT.fullmatch(text)
    token = ApiToken.objects.filter(prefix=found[1]).first() if found else None
    # Who knows only the beginning learns nothing about the token, not even that it is known.
    if token is None or not hmac.compare_digest(token.digest, _digest(text)):
        return TokenCheck(token, refusal=TokenRefusal.UNKNOWN)
    user = AccountBackend().get_user(token.user_id)
    if refusal := _find_refusal(token, user, address):
        return TokenCheck(token, refusal=refusal)
    if user is not None:
        narrow_rights(user, token.scopes)
    return TokenCheck(token, user)


def note_use(token: ApiToken, user: User, address: str) -> None:
    """Keep when, and from where, a token was used; its first use is an event."""
    now = clock.now()
    if token.used_last_at is not None and now - token.used_last_at < _NOTED_EVERY and token.used_last_from == address:
        return
    used = {"used_last_at": now, "used_last_from": address}
    with transaction.atomic():
        if token.used_first_at is None:
            first = ApiToken.objects.filter(pk=token.pk, used_first_at=None)
            if first.update(used_first_at=now, **used):
                record_event(EventKind.TOKEN_USED, on=token, user=user)
                return
        ApiToken.objects.filter(pk=token.pk).update(**used)


def narrow_rights(user: User, scopes: Collection[str]) -> None:
    """Leave a user, in memory, only those of their rights that scopes let through; a superuser is one no more.

    Args:
        user: as read for this request; must not be saved.
        scopes: keys of :data:`SCOPES`; one that is not known lets nothing through. None at all leaves everything.
    """
    held = AccountBackend().get_all_permissions(user)
    if not scopes:
        return
    allowed = frozenset[str]().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
    user._perm_cache = held & allowed  # type: ignore[attr-defined]
    user.is_superuser = False


def _find_refusal(token: ApiToken, user: User | None, address: str) -> TokenRefusal | None:
    if token.revoked_at is not None:
        return TokenRefusal.REVOKED
    if token.expires_at <= clock.now():
        return TokenRefusal.EXPIRED
    if token.networks and not _is_in(address, token.networks):
        return TokenRefusal.ADDRESS
    if user is None or not user.is_staff:
        return TokenRefusal.PERSON
    return TokenRefusal.FACTOR if needs_factor(user) and not has_factor(user) else None


def _is_in(address: str, networks: Sequence[str]) -> bool:
    try:
        here = ip_address(address)
    except ValueError:
        return False
    return any(here in ip_network(network) for network in networks)


def _digest(text: str) -> str:
    """The text is 256 random bits, so that a slow hash would add nothing."""
    return hashlib.sha256(text.encode()).hexdigest()


def longest_days() -> int:
    """So many days a token may be good."""
    return account_settings.token_days()
