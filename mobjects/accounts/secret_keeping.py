"""Secrets of the second factor and of webhooks, unreadable in the database without the site's secret key."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mobjects.accounts import account_settings

FACTORS = b"marketo-admin secrets of second factors"
WEBHOOKS = b"marketo-admin secrets of webhooks"
"""What a secret is for; what was sealed for one purpose cannot be read for another."""


class SecretKeyChanged(Exception):
    """A secret was kept under another secret key of the site."""


def seal(text: str, purpose: bytes = FACTORS) -> str:
    """The text to keep, which says nothing without the site's secret key."""
    return _cipher(purpose).encrypt(text.encode()).decode()


def unseal(kept: str, purpose: bytes = FACTORS) -> str:
    """The text that was kept. Raises :exc:`SecretKeyChanged` where it was sealed with another secret key."""
    try:
        return _cipher(purpose).decrypt(kept.encode()).decode()
    except InvalidToken:
        raise SecretKeyChanged from None


def _cipher(purpose: bytes) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(account_settings.secret_key())
    return Fernet(urlsafe_b64encode(derived))
