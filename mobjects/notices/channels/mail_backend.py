"""Django's way to a mail server, with a bound on the whole of a conversation; ``EMAIL_BACKEND``."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from mobjects.notices.channels.cut_off import WHOLE_SECONDS, CutOff


class TimedEmailBackend(EmailBackend):
    """Gives up a mail server that answers in drops.

    Args:
        seconds: for one sending, from the connection to the goodbye.
    """

    def __init__(self, *args: Any, seconds: float = WHOLE_SECONDS, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seconds = seconds
        self._cut_off = CutOff(seconds)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send messages; how many were. Raises TimeoutError if the time was over."""
        self._cut_off = CutOff(self._seconds)
        try:
            with self._cut_off:
                return super().send_messages(email_messages)
        except OSError:
            if self._cut_off.is_over:
                raise TimeoutError(f"The mail server took longer than {self._seconds:g} s.") from None
            raise

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """As Django has it, with its socket watched from the moment it is connected, before TLS."""
        watch = self._cut_off.watch

        class WatchedSmtp(smtplib.SMTP):
            def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
                found: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # no stub has it
                watch(found)
                return found

        class WatchedTlsSmtp(smtplib.SMTP_SSL, WatchedSmtp):
            """Asks the other one for what it puts TLS on."""

        return WatchedTlsSmtp if self.use_ssl else WatchedSmtp
