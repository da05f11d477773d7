"""Secrets of the second factor, unreadable in the database: only who has the site's secret key reads them."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mobjects.accounts import account_settings

_PURPOSE = b"marketo-admin secrets of second factors"


class SecretKeyChanged(Exception):
    """A secret was kept under another secret key of the site."""


def seal(text: str) -> str:
    """The text to keep, which says nothing without the site's secret key."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(kept: str) -> str:
    """The text that was kept. Raises :exc:`SecretKeyChanged` where it was sealed with another secret key."""
    try:
        return _cipher().decrypt(kept.encode()).decode()
    except InvalidToken:
        raise SecretKeyChanged from None


def _cipher() -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(account_settings.secret_key())
    return Fernet(urlsafe_b64encode(derived))
