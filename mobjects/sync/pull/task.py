"""Pull: filling the local copies from Marketo, without overwriting what has not been sent yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self

from django.db import transaction

from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.types import Kind, MarketoQuery, QueryPage, TagValue
from mobjects.models import SyncBatch, SyncedRecord, SyncResult, SyncResultStatus, records_of_kind
from mobjects.sync.job_results import build_result, save_results
from mobjects.sync.paging import PageCursor, load_progress, query_by_id, read_page, store_progress
from mobjects.sync.pull.apply import PulledPage
from mobjects.sync.task import JobContext, JobTask, read_from_marketo

NO_ID = "It has no Marketo ID yet, so it cannot be looked for in Marketo; send it first."
GONE = "Marketo has no object with this ID any more."


@dataclass(frozen=True, slots=True)
class PullSelection:
    """What a person asked to read from Marketo; all that is given must hold.

    Args:
        kind: which objects.
        name: exactly this name; not of roles.
        workspace, tag_type, tag_value, archived: of programs.
        updated_since: aware.
        ids: our own ids of the records to read again; nothing else can be given then.

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

    def __post_init__(self) -> None:
        if self.name and self.kind is Kind.ROLE:
            raise ValueError("Name: roles have no name; leave it empty.")
        if self.kind is not Kind.PROGRAM and (self.workspace or self.tag_type or self.tag_value or self.archived):
            raise ValueError("Workspace, tag and archived: Marketo can look for these on programs only.")
        if bool(self.tag_type) != bool(self.tag_value):
            raise ValueError("Tag: give its type and its value, or neither.")
        if self.tag_type and self.updated_since:
            raise ValueError("Tag and updated since: Marketo can look for only one of them at a time.")
        if self.updated_since is not None and self.updated_since.utcoffset() is None:
            raise ValueError(f"Updated since: {self.updated_since.isoformat()} has no time zone.")
        if self.ids is not None and replace(self, ids=None) != type(self)(self.kind):
            raise ValueError("Records that are given one by one cannot be filtered further.")

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
        return asdict(self) | {"updated_since": self.updated_since.isoformat() if self.updated_since else None}

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
        )


class PullTask(JobTask):
    """One page a step; or, of records given one by one, one record a step."""

    single_worker = True

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.selection = PullSelection.from_json(context.job.selection)

    def step(self) -> bool:
        place = PageCursor.from_json(load_progress(self.context.job))
        if place.done:
            return False
        if self.selection.ids is not None:
            self._pull_next_record(place, self.selection.ids)
            return True
        answered = read_page(self.context, self.selection.to_query(), place)
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
        elif record.marketo_id is None:
            self._save_alone(record, SyncResultStatus.HELD, NO_ID, place)
        else:
            query, find = query_by_id(self.selection.kind, record.marketo_id), self.context.transport.find
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
