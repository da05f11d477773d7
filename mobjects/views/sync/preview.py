"""What sending a selection would do, in figures: the forecast with its calls, its time and what it takes away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from mobjects.kept_text import translate_kept
from mobjects.marketo.errors import ConfigError
from mobjects.marketo.transport import MarketoTransport
from mobjects.marketo.types import Operation
from mobjects.models import RECORD_MODELS, Kind, SyncedRecord
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.rate_limits.usage import LimitUsage, UnknownUsage
from mobjects.sync.send.preview.estimates import ForeseenLoss, estimate_seconds, find_losses
from mobjects.sync.send.preview.forecast import NO_BOUNDS, ForecastGroup, find_bounds, forecast_groups
from mobjects.sync.send.selection import SyncSelection, count_calls
from mobjects.sync.transport_factory import key_fields, missing_settings, open_transport

FIRST = 2_000
"""So many records of a kind are counted when the page opens; of more, all are counted afterwards."""


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """One line of the forecast. ``batches`` is ``None`` if Marketo does not support the operation; ``which`` stands
    for its records, of which ``new`` would be created and ``skipped`` be skipped by Marketo; sending them takes
    ``calls`` at least.
    """

    which: str
    kind: str
    operation: str
    count: int
    batches: int | None
    new: int = 0
    calls: int = 0
    skipped: int = 0

    @property
    def may_be_read(self) -> bool:
        """Whether its records may be in Marketo already, and so can be read there first."""
        return bool(self.batches) and self.operation != Operation.INSERT


@dataclass(frozen=True, slots=True)
class HeldLine:
    """Records that will be held back, and why; ``which`` stands for them."""

    which: str
    kind: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class SyncPreview:
    """What sending a selection now would do; ``problem`` says why it cannot be sent at all.

    ``usage`` is false where it is not known how many calls were made today; ``cleared`` counts values, ``replaced``
    roles that are deleted in Marketo and made anew; ``read_together`` is how many records one call reads at most;
    ``seconds`` is ``None`` where nothing was sent before that tells how long it takes; ``is_partial`` where only the
    first records were counted.
    """

    lines: list[ForecastLine]
    held: list[HeldLine]
    endpoint: str = ""
    caller: str = ""
    problem: str = ""
    usage: LimitUsage | UnknownUsage | None = None
    read_first: bool = False
    cleared: int = 0
    replaced: int = 0
    read_together: int = 1
    lost: ForeseenLoss = field(default_factory=ForeseenLoss)
    seconds: float | None = None
    is_partial: bool = False

    @property
    def sendable(self) -> int:
        """Records that would go out."""
        return sum(line.count for line in self.lines if line.batches)

    @property
    def batches(self) -> int:
        """Batches that are sent, all kinds together."""
        return sum(line.batches or 0 for line in self.lines)

    @property
    def calls(self) -> int:
        """All calls to Marketo that are foreseen; looking things up and trying again come on top."""
        to_read = [line for line in self.lines if line.may_be_read] if self.read_first else []
        return sum(line.calls for line in self.lines) + sum(-(-line.count // self.read_together) for line in to_read)

    @property
    def created(self) -> int:
        """Records of which nothing is known in Marketo, and which so would be created."""
        return sum(line.new for line in self.lines if line.batches)

    @property
    def skipped(self) -> int:
        """Records that Marketo would skip: INSERT of what it has, UPDATE of what it does not have."""
        return sum(line.skipped for line in self.lines if line.batches)

    @property
    def share(self) -> float | None:
        """How much of our calls of a day this takes, in per cent; ``None`` if it is not known how many there are."""
        return 100 * self.calls / self.usage.share if self.usage and self.usage.share else None

    @property
    def warning(self) -> str:
        """That today's share of the quota is not enough; "" if it is, or if that is not known."""
        return self.usage.quota_warning(self.calls) if self.usage else ""

    @property
    def ready(self) -> bool:
        """Whether there is something to send and somewhere to send it."""
        return self.sendable > 0 and not self.problem


def may_send(selection: SyncSelection) -> bool:
    """Whether there is something to send and somewhere to send it; all is counted only where the first records are
    held back.
    """
    bounds = find_bounds(selection, FIRST)
    return preview_sync(selection, bounds=bounds).ready or (bool(bounds) and preview_sync(selection).ready)


def preview_sync(
    selection: SyncSelection,
    programs: Sequence[SyncedRecord] = (),
    *,
    at: datetime | None = None,
    bounds: Mapping[Kind, int] = NO_BOUNDS,
) -> SyncPreview:
    """What sending this selection now would do; sends nothing.

    Args:
        selection: what would be sent.
        programs: those of it that are looked at for what they would lose.
        at: the moment at which records are judged; now, by the database's clock, if none is given.
        bounds: from :func:`~mobjects.sync.send.preview.forecast.find_bounds`, where only the first are to be counted.
    """
    keys = key_fields()
    groups = forecast_groups(selection, keys, at=at, bounds=bounds)
    cleared, replaced = sum(group.cleared for group in groups), sum(group.replaced for group in groups)
    held = [
        HeldLine(_which(group), _kind_label(group), translate_kept(group.reason), group.count)
        for group in groups
        if group.reason
    ]
    sending = [group for group in groups if not group.reason]
    try:
        transport = open_transport()
    except ConfigError as error:
        lines = [_line(None, group) for group in sending]
        return SyncPreview(lines, held, problem=error.message, cleared=cleared, is_partial=bool(bounds))
    with closing(transport):
        lines = [_line(transport, group) for group in sending]
        batches = [
            (group.kind, group.operation, line.batches)
            for group, line in zip(sending, lines, strict=True)
            if line.batches and group.operation
        ]
        usage = RedisRateLimiter.from_settings(transport.endpoint).read_usage()
        missing = missing_settings()
        return SyncPreview(
            lines,
            held,
            transport.endpoint,
            transport.caller,
            missing,
            usage,
            selection.read_first,
            cleared,
            replaced,
            keys.traits.named_to_a_query,
            find_losses(programs, selection, keys),
            estimate_seconds(batches),
            bool(bounds),
        )


def _line(transport: MarketoTransport | None, group: ForecastGroup) -> ForecastLine:
    limit = transport.limit(group.kind, group.operation) if transport and group.operation else None
    batches = -(-group.count // limit) if limit else None
    calls = count_calls(group.kind, batches, transport.traits) if transport and batches else 0
    which, kind = _which(group), _kind_label(group)
    return ForecastLine(which, kind, str(group.operation), group.count, batches, group.new, calls, group.skipped)


def _which(group: ForecastGroup) -> str:
    """A group in a button's value."""
    return "|".join((group.kind.value, group.operation.value if group.operation else "", group.reason))


def _kind_label(group: ForecastGroup) -> str:
    return str(RECORD_MODELS[group.kind]._meta.verbose_name_plural).capitalize()
