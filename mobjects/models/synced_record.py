"""What every local copy of a Marketo object has in common: its id there and its sync state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.base import ModelState
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.marketo.types import Kind
from mobjects.marketo.value_parsing import LARGEST_ID
from mobjects.models.fields import CreatedAtField, MarketoIdField

CHANGED = Q(revision__gt=F("synced_revision"))
"""The condition that a record holds content which Marketo has not accepted yet; also of an index of each table."""
HAS_ERROR = ~Q(last_error="")
"""The condition that Marketo's last answer about a record holds an error; also of an index of each table."""


class RecordStatus(models.TextChoices):
    """The last answer for a record: Marketo's five words, and ours for a call without an answer."""

    CREATED = "CREATED", _("Created")
    UPDATED = "UPDATED", _("Updated")
    UNCHANGED = "UNCHANGED", _("Unchanged")
    SKIPPED = "SKIPPED", _("Skipped")
    FAILED = "FAILED", _("Failed")
    UNKNOWN = "UNKNOWN", _("Outcome unknown")


class RecordState(models.TextChoices):
    """Where a record stands, derived from its other columns."""

    NEVER = "never", _("Never synced")
    CHANGED = "changed", _("Changed")
    IN_BATCH = "in_batch", _("In a batch")
    SYNCED = "synced", _("Synced")
    SKIPPED = "skipped", _("Skipped")
    CHANGED_SKIPPED = "changed_skipped", _("Changed, skipped before")
    FAILED = "failed", _("Failed")
    CHANGED_FAILED = "changed_failed", _("Changed, failed before")
    UNKNOWN = "unknown", _("Outcome unknown")


_REFUSALS = (
    (RecordStatus.FAILED, RecordState.FAILED, RecordState.CHANGED_FAILED),
    (RecordStatus.SKIPPED, RecordState.SKIPPED, RecordState.CHANGED_SKIPPED),
)
"""A status, the state of a record that is still as it was refused, and that of one that was changed since."""


NAMED = 3
"""So many records a refusal names."""


def positive_marketo_id(name: str) -> models.CheckConstraint:
    """Marketo's ids start at 1, its 0 stands for "none"; they end where its 32 bits do."""
    return models.CheckConstraint(condition=Q(marketo_id__range=(1, LARGEST_ID)), name=name)


UNDER_WAY = Q(claimed_by__isnull=False) | Q(last_status=RecordStatus.UNKNOWN)
"""The condition that Marketo may be getting, or have got, something of which nothing is known here yet."""


class RecordUnderWay(Exception):
    """A record cannot be deleted now: what Marketo makes of it would be there without anything here that leads to it.

    Args:
        records: some of those that are under way; not empty.
    """

    def __init__(self, records: Sequence[SyncedRecord]) -> None:
        super().__init__(" ".join(describe_under_way(record) for record in records))


def describe_under_way(record: SyncedRecord) -> str:
    """Why a record cannot be deleted now, as a sentence."""
    if record.claimed_by_id is not None:
        return gettext("“%(record)s” is in a batch right now; delete it when that is done.") % {"record": record}
    return gettext(
        "“%(record)s” was sent without an answer, so it may be in Marketo. Sync it, which looks it "
        "up, or decide about it under “To decide”; delete it then."
    ) % {"record": record}


_STATE = Case(
    When(claimed_by__isnull=False, then=Value(RecordState.IN_BATCH)),
    When(last_status=RecordStatus.UNKNOWN, then=Value(RecordState.UNKNOWN)),
    When(revision__lte=F("synced_revision"), then=Value(RecordState.SYNCED)),
    *(
        When(Q(last_status=status) & condition, then=Value(state))
        for status, same, corrected in _REFUSALS
        for condition, state in ((Q(revision__gt=F("answered_revision")), corrected), (Q(), same))
    ),
    When(synced_revision=0, then=Value(RecordState.NEVER)),
    default=Value(RecordState.CHANGED),
)
"""The state of a record; the same rules as :attr:`SyncedRecord.current_state`."""


class SyncedQuerySet(models.QuerySet[Any]):  # of any of the synced models
    """Queries by sync state."""

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete them, and what hangs on them.

        Raises:
            RecordUnderWay: nothing was deleted.
        """
        with transaction.atomic():
            self.hold_for_deletion()
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def hold_for_deletion(self) -> None:
        """Lock the records and those that would go with them, so that no batch takes them; needs a transaction.

        Raises:
            RecordUnderWay: for some of them it is too late.
        """
        for found in (self, *self.deleted_with_them()):
            held = found.order_by("pk").select_for_update(of=("self",))
            list(held.values_list("pk", flat=True))
            if busy := list(found.filter(UNDER_WAY).order_by("pk")[:NAMED]):
                raise RecordUnderWay(busy)

    def deleted_with_them(self) -> list[SyncedQuerySet]:
        """The synced records that hang on these, such as the roles of opportunities."""
        links = [link for link in self.model._meta.related_objects if issubclass(link.related_model, SyncedRecord)]
        ids = self.order_by().values("pk")
        return [link.related_model.objects.filter(**{f"{link.field.name}__in": ids}) for link in links]

    def dirty(self) -> Self:
        """Records with content that Marketo has not accepted yet."""
        return self.filter(CHANGED)


SyncedManager = models.Manager.from_queryset(SyncedQuerySet)


class SyncedRecord(models.Model):
    """A local copy of a Marketo object.

    ``revision`` is raised by a database trigger (:mod:`mobjects.db.triggers`) whenever one of
    ``content_fields``, or a child row, changes, whichever path the change takes. A record is
    dirty while ``revision > synced_revision``; a success sets ``synced_revision`` to the
    revision that was *sent*, so an edit made meanwhile stays dirty.

    The columns in ``SYNC_FIELDS`` belong to the sync engine, which writes them by
    ``QuerySet.update``; :meth:`save` leaves them alone so that a form that was loaded
    before an answer arrived cannot undo the answer.
    """

    KIND: ClassVar[Kind]
    content_fields: ClassVar[tuple[str, ...]]
    SYNC_FIELDS: ClassVar[frozenset[str]] = frozenset(
        {
            "marketo_id",
            "marketo_guid",
            "revision",
            "synced_revision",
            "answered_revision",
            "last_status",
            "last_error",
            "last_synced_at",
            "accepted",
            "claimed_by",
            "unknown_since",
            "read_at",
            "in_marketo",
        }
    )

    marketo_id = MarketoIdField(
        "Marketo ID",
        null=True,
        blank=True,
        unique=True,
        help_text=_("Given by Marketo; empty until it is known."),
    )
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    synced_revision = models.PositiveIntegerField(_("synced revision"), default=0, editable=False)
    answered_revision = models.PositiveIntegerField(
        _("answered revision"), default=0, editable=False, help_text=_("The revision that the last answer was about.")
    )
    last_status = models.CharField(_("last status"), max_length=9, choices=RecordStatus, blank=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    last_synced_at = models.DateTimeField(_("last synced"), null=True, blank=True, editable=False)
    accepted = models.JSONField(
        _("accepted"), default=dict, blank=True, editable=False, help_text=_("Values Marketo last accepted.")
    )
    claimed_by = models.ForeignKey(
        "mobjects.SyncBatch",
        models.SET_NULL,
        verbose_name=_("claimed by"),
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    unknown_since = models.DateTimeField(
        _("unknown since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When it was sent without an answer, until that is settled."),
    )
    state = models.GeneratedField(
        verbose_name=_("state"), expression=_STATE, output_field=models.CharField(max_length=15), db_persist=True
    )
    read_at = models.DateTimeField(_("last read from Marketo"), null=True, blank=True, editable=False)
    in_marketo = models.JSONField(
        _("in marketo"),
        default=dict,
        blank=True,
        editable=False,
        help_text=_("What Marketo held when it was last read and what is not kept here, by name."),
    )
    created_at = CreatedAtField(_("created at"), auto_now_add=True)
    modified_at = models.DateTimeField(_("modified at"), auto_now=True)

    objects = SyncedManager()

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any]) -> Self:
        """A record as the database has it. Django's own way asks every field, for each record that is read."""
        record = cls.__new__(cls)
        record._state = ModelState()
        record._state.adding, record._state.db = False, db
        record.__dict__.update(zip(field_names, values, strict=True))
        return record

    @classmethod
    def edited_fields(cls) -> list[str]:
        """Names of the columns that people edit."""
        others = {*cls.SYNC_FIELDS, "created_at", "modified_at"}
        return [
            field.name
            for field in cls._meta.concrete_fields
            if not (field.primary_key or field.generated or field.name in others)
        ]

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the record; on an existing one only what people edit, unless ``update_fields`` says otherwise."""
        if update_fields is None and not self._state.adding and not kwargs.get("force_insert"):
            update_fields = [*self.edited_fields(), "modified_at"]
        super().save(*args, update_fields=update_fields, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the record, and what hangs on it.

        Raises:
            RecordUnderWay: it is in a batch, or the outcome of its last sending is unknown. Nothing was deleted.
        """
        with transaction.atomic():
            type(self).objects.filter(pk=self.pk).hold_for_deletion()
            return super().delete(*args, **kwargs)

    @property
    def is_dirty(self) -> bool:
        """Whether the record holds content that Marketo has not accepted."""
        return self.revision > self.synced_revision

    @property
    def refusal_stands(self) -> bool:
        """Whether the last answer was a refusal, and the record is still as it was then."""
        return self.current_state in (RecordState.FAILED, RecordState.SKIPPED)

    @property
    def current_state(self) -> RecordState:
        """The state of this instance as it is in memory; the same rules as of the column ``state``."""
        if self.claimed_by_id:
            return RecordState.IN_BATCH
        if self.last_status == RecordStatus.UNKNOWN:
            return RecordState.UNKNOWN
        if not self.is_dirty:
            return RecordState.SYNCED  # What failed or was skipped has been taken back, or is as in Marketo.
        for status, same, corrected in _REFUSALS:
            if self.last_status == status:
                return corrected if self.revision > self.answered_revision else same
        return RecordState.NEVER if self.synced_revision == 0 else RecordState.CHANGED
