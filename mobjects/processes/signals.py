"""What processes call out while they run, so that what stands above them can join in."""

from __future__ import annotations

from django.dispatch import Signal

ticked = Signal()
"""Sent by a worker at the end of each tick."""

watched = Signal()
"""Sent now and then by clocks and workers by themselves, not through the queue: somebody may look after the others."""
