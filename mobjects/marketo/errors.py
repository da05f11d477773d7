"""What can go wrong with a whole call to Marketo.

The class says what is certain and nothing else counts: what is done about it stands in one table for all APIs,
:data:`mobjects.sync.retry_policy.RULES`. What happens to one record of an answered call is not an error but an
``Outcome`` (see :mod:`mobjects.marketo.types`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mobjects.marketo.types import Exchange


class RefusalReason(StrEnum):
    """Why Marketo refused a call that was right in itself, whichever API says so."""

    EXPIRED = "expired"
    """The signature or the token was no longer valid when the call arrived; a fresh one may be."""
    RATE = "rate"
    """Too many calls within Marketo's window of 20 seconds."""
    AT_ONCE = "at once"
    """Too many calls at the same time."""
    QUOTA = "quota"
    """The calls of the day are used up."""
    ACCESS = "access"
    """This user may not do this with such objects; with others it may."""
    UNSUPPORTED = "unsupported"
    """Marketo does not offer this operation at all, so no part of the batch would fare better."""


class MarketoError(Exception):
    """A call as a whole did not succeed.

    Args:
        message: one plain sentence for the user; never holds a secret.
        code: Marketo's own error code as text (``"20014"``), or ``""`` where there is none.
        exchange: what was sent and answered, redacted; ``None`` if nothing was sent.
        clock_offset_seconds: Marketo's clock minus ours, where the answer told it.
        trouble: why the call was refused, where that decides what to do next.
        retry_after_seconds: how long the same call would be in vain, where that is known.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        exchange: Exchange | None = None,
        clock_offset_seconds: float | None = None,
        trouble: RefusalReason | None = None,
        retry_after_seconds: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.exchange = exchange
        self.clock_offset_seconds = clock_offset_seconds
        self.trouble = trouble
        self.retry_after_seconds = retry_after_seconds

    @property
    def concerns_only_this(self) -> bool:
        """Whether other calls, about other kinds of records for instance, may well be answered."""
        return isinstance(self, Rejected) or self.trouble is RefusalReason.ACCESS


class ConfigError(MarketoError):
    """A setting is missing or wrong; nothing was applied."""


class AuthError(MarketoError):
    """Marketo refused who is calling, or the proof of it; nothing was applied."""


class Rejected(MarketoError):
    """Marketo, or the transport itself, refused the request as wrong; nothing was applied."""


class Unavailable(MarketoError):
    """Certainly not applied; the same request may succeed later."""


class OutcomeUnknown(MarketoError):
    """May have been applied, so that sending an INSERT again could make a double."""
