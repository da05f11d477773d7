"""Kinds of records that are not sent, because Marketo denied access to them; what else a job holds goes on.

An instance that is synced with a CRM has no API for opportunities, and an API user may lack one permission.
"""

from __future__ import annotations

from django.db.models import Exists, Q
from django.utils.translation import gettext_noop as _

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.types import Kind
from mobjects.models import Circuit, SyncJob

KIND_HALTED = _("Marketo denied access to such records; see Connection. A person lets sending them go on there")


def halt_kind(job: SyncJob, kind: Kind, error: MarketoError) -> None:
    """Send no record of a kind until a person resets the connection.

    Args:
        job: that was refused.
        kind: of the batch.
        error: what Marketo said.
    """
    defaults = {"job": job, "code": error.code, "reason": error.message}
    Circuit.objects.get_or_create(reset_at=None, kind=kind.value, defaults=defaults)


def is_halted(kind: Kind) -> Q:
    """The condition that records of a kind are not sent at present."""
    return Q(Exists(Circuit.objects.filter(reset_at__isnull=True, kind=kind.value)))
