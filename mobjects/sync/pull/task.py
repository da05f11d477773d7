"""Pull: filling the local copies from Marketo, without overwriting what has not been sent yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.utils.translation import gettext_noop as _

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.types import Kind, MarketoQuery, QueryPage, TagValue
from mobjects.models import SyncBatch, SyncedRecord, SyncResult, SyncResultStatus, records_of_kind
from mobjects.sync.job_results import GONE, build_result, save_results
from mobjects.sync.paging import NamedBy, PageCursor, can_list, load_progress, query_by_id, read_page, store_progress
from mobjects.sync.pull.apply import PulledPage
from mobjects.sync.pull.named import NamedPull
from mobjects.sync.task import JobContext, JobTask, read_from_marketo

NO_ID = _("It has no {id} yet, so it cannot be looked for in Marketo; send it first.")
NAMED_BY = {
    Kind.OPPORTUNITY: (NamedBy.KEY, NamedBy.ID),
    Kind.ROLE: (NamedBy.OPPORTUNITY, NamedBy.ID),
}
"""What a person can name objects by, by kind; the first is the usual one."""


@dataclass(frozen=True, slots=True)
class PullSelection:
    """What a person asked to read from Marketo; all that is given must hold.

    Args:
        kind: which objects.
        name: exactly this name; not of roles.
        workspace, tag_type, tag_value, archived: of programs.
        updated_since: aware.
        ids: our own ids of the records to read again; nothing else can be given then.
        named_by, names: the objects to read, where Marketo cannot list them; nothing else can be given then. Roles are
            named by ``OPPORTUNITY`` or ``ID``, opportunities by ``KEY`` or ``ID``.

    Raises:
        ValueError: a sentence that names what does not go together.
    """

    kind: Kind
    name: str = ""
    workspace: str = ""
    tag_type: str = ""
    tag_value: str = ""
    updated_since: datetime | None = None
    archived: bool = False
    ids: Sequence[int] | None = None
    named_by: NamedBy = NamedBy.ID
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._check_filters()
        if self.ids is not None and replace(self, ids=None) != type(self)(self.kind):
            raise ValueError(_("Records that are given one by one cannot be filtered further."))
        if self.names and replace(self, named_by=NamedBy.ID, names=()) != type(self)(self.kind):
            raise ValueError(_("Records that are named cannot be filtered further."))
        if self.names and self.named_by not in NAMED_BY.get(self.kind, ()):
            raise ValueError(
                _("%(kind)s: Marketo cannot be asked for these by %(named_by)s.")
                % {"kind": self.kind, "named_by": self.named_by}
            )

    def _check_filters(self) -> None:
        if self.name and self.kind is Kind.ROLE:
            raise ValueError(_("Name: roles have no name; leave it empty."))
        if self.kind is not Kind.PROGRAM and (self.workspace or self.tag_type or self.tag_value or self.archived):
            raise ValueError(_("Workspace, tag and archived: Marketo can look for these on programs only."))
        if bool(self.tag_type) != bool(self.tag_value):
            raise ValueError(_("Tag: give its type and its value, or neither."))
        if self.tag_type and self.updated_since:
            raise ValueError(_("Tag and updated since: Marketo can look for only one of them at a time."))
        if self.updated_since is not None and self.updated_since.utcoffset() is None:
            raise ValueError(_("Updated since: %(time)s has no time zone.") % {"time": self.updated_since.isoformat()})

    def to_query(self) -> MarketoQuery:
        """What Marketo is asked."""
        return MarketoQuery(
            self.kind,
            name=self.name,
            workspace=self.workspace,
            tag=TagValue(self.tag_type, self.tag_value) if self.tag_type else None,
            updated_since=self.updated_since,
            archived=self.archived,
            details=self.kind is Kind.PROGRAM,
        )

    def to_json(self) -> dict[str, Any]:
        """As kept on the job."""
        kept = asdict(self) | {"updated_since": self.updated_since.isoformat() if self.updated_since else None}
        return kept if self.names else {name: each for name, each in kept.items() if name not in ("named_by", "names")}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The reverse of :meth:`to_json`; what is left out is not asked for."""
        since = kept.get("updated_since")
        texts = {name: kept.get(name) or "" for name in ("name", "workspace", "tag_type", "tag_value")}
        ids = kept.get("ids")
        return cls(
            Kind(kept["kind"]),
            **texts,
            updated_since=datetime.fromisoformat(since) if since else None,
            archived=bool(kept.get("archived")),
            ids=tuple(ids) if ids is not None else None,
            named_by=NamedBy(kept.get("named_by") or NamedBy.ID),
            names=tuple(kept.get("names") or ()),
        )


class PullTask(JobTask):
    """One page a step; or, of records given one by one, one record a step.

    Objects that Marketo cannot list are read by what they are called, many with a call.
    """

    single_worker = True

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.selection = PullSelection.from_json(context.job.selection)

    def step(self) -> bool:
        """Read the next page or record; see :class:`mobjects.sync.task.JobTask`."""
        asked = self.selection
        if not can_list(asked.kind, self.context.keys):
            return NamedPull(self.context, asked.kind, asked.ids, asked.named_by, asked.names).step()
        place = PageCursor.from_json(load_progress(self.context.job))
        if place.done:
            return False
        if asked.ids is not None:
            self._pull_next_record(place, asked.ids)
            return True
        answered = read_page(self.context, asked.to_query(), place)
        if answered is not None:
            batch, page = answered
            self._save(batch, page, place.after_page(page))
        return True

    def _pull_next_record(self, place: PageCursor, ids: Sequence[int]) -> None:
        pk = min((pk for pk in ids if pk > place.after), default=None)
        record = records_of_kind(self.selection.kind).filter(pk=pk).first() if pk is not None else None
        place = replace(place, after=pk or place.after, done=pk is None)
        if record is None:
            store_progress(self.context.job, place.to_json())
        elif (called := self.context.keys.id_of(record)) is None:
            words = NO_ID.format(id=self.context.keys.traits.id_kind(record.KIND).value)
            self._save_alone(record, SyncResultStatus.HELD, words, place)
        else:
            query, find = query_by_id(self.selection.kind, called), self.context.transport.find
            batch, page = read_from_marketo(self.context, self.selection.kind, lambda: find(query))
            if page.found:
                self._save(batch, page, place)
            else:
                self._save_alone(record, SyncResultStatus.MISSING, GONE, place, batch)

    @retry_on_database_error
    def _save(self, batch: SyncBatch, page: QueryPage, place: PageCursor) -> None:
        with transaction.atomic():
            rows = PulledPage(self.context, batch, page.found).apply()
            batch.size = len(page.found)
            batch.save(update_fields=["size"])
            self._keep(rows, place)

    @retry_on_database_error
    def _save_alone(
        self,
        record: SyncedRecord,
        status: SyncResultStatus,
        words: str,
        place: PageCursor,
        batch: SyncBatch | None = None,
    ) -> None:
        with transaction.atomic():
            self._keep([build_result(self.context.job, record, status, batch=batch, error=words)], place)

    def _keep(self, rows: Sequence[SyncResult], place: PageCursor) -> None:
        save_results(self.context.job, rows)
        store_progress(self.context.job, place.to_json())
