"""What a channel is: who gets a notice by it, and one try to bring it there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import ClassVar

from mobjects.models import Notice, NoticeDelivery


class DeliveryError(Exception):
    """A try that did not succeed. ``said`` is a sentence for people, in English, without an address or a secret."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class PermanentError(DeliveryError):
    """Another try would end the same way."""


class PassingError(DeliveryError):
    """Another try may succeed; ``wait`` is how long the other side asks to be left alone."""

    def __init__(self, said: str, wait: timedelta = timedelta(0)) -> None:
        super().__init__(said)
        self.wait = wait


class Channel(ABC):
    """One way to people or programs."""

    name: ClassVar[str]

    @abstractmethod
    def find_receivers(self, notice: Notice) -> list[NoticeDelivery]:
        """A delivery, not saved, for each who wants the notice by this channel."""

    @abstractmethod
    def send(self, delivery: NoticeDelivery) -> str:
        """Try once.

        Returns:
            What the other side said, as a sentence.

        Raises:
            PermanentError: it did not get there and never will.
            PassingError: it did not get there this time.
        """
