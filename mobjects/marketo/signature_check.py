"""Whether a call that is kept was signed as it should have been: what is asked, and what can be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class SignedPart(StrEnum):
    """What a signature is made of, and where it stands."""

    USER_SENT = "user sent"
    """Who signed, in the request that is kept."""
    TIME_SENT = "time sent"
    """When it was signed, in the request that is kept."""
    USER_NOW = "user now"
    """Who signs by the settings of now."""
    KEY_NOW = "key now"
    """The secret of the settings of now."""


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call as the history keeps it.

    Args:
        request: with its secrets masked.
        identity: as :attr:`mobjects.marketo.types.Exchange.identity`.
        digest: as :attr:`mobjects.marketo.types.Exchange.signature_digest`; not empty.
    """

    request: str
    identity: Mapping[str, str]
    digest: str


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """Whether the signature made anew is the one that was sent.

    Args:
        valid: they are the same.
        differing: the parts that are not what they were at sending; empty where it is valid.
    """

    valid: bool
    differing: Sequence[SignedPart] = ()
