"""Reads of results: what became of records, in one job or over all of them, a page of them, and what failures share.

Of results there may be a million, so nothing here counts them all: a page is found by where it begins, and how many
there are is known from the counts of their job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from mobjects import models
from mobjects.marketo.reason_masking import mask_reason
from mobjects.marketo.types import Kind
from mobjects.selectors import STEPS, id_in, is_left, is_uncorrected, may_repeat

ANY = "all"
"""Stands for every status."""
PROBLEMS = "problems"
"""Stands for all statuses that a person looks at first."""
FAILURE_GROUPS = 20
_STREAM_ROWS = 2000
OVER_FOR = timedelta(hours=1)
"""So long after its end a worker that was given up may still write something of a job."""
REACH = 50_000
"""Over all jobs, texts are gone through in so many results at a time: of a million nobody waits for all."""


@dataclass(frozen=True)
class ResultFilter:
    """Which results.

    Args:
        job: only of this one; ``None`` means of all.
        status: one of them, :data:`ANY`, :data:`PROBLEMS` or :data:`mobjects.selectors.STEPS`.
        search: part of a record's name or of a reason; or exactly its key, Marketo ID or GUID.
        same_as: the id of a result; only results with its status and a reason like its.
        kind: of the records; "" means any.
        record: our own id of one record of the kind.
        since, until: when the job was asked for; the second is the first moment that is left out.
    """

    job: UUID | None = None
    status: str = ANY
    search: str = ""
    same_as: int | None = None
    kind: str = ""
    record: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the status is asked for."""
        return bool(self.search or self.same_as or self.kind or self.record or self.since or self.until)

    @cached_property
    def named(self) -> Q | None:
        """The condition of results about what is exactly searched for; over all jobs ``None`` if there are none.

        Asked once.
        """
        found = _names(self.search)
        return found if self.job is not None or _are_there(found) else None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Some results in their order, and where the pages before and after them begin; ``None`` where there are none."""

    rows: list[models.SyncResult]
    before: int | None
    after: int | None

    def __iter__(self) -> Iterator[models.SyncResult]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class SearchReach:
    """The results whose texts one page of a search goes through.

    Args:
        low, high: their ids, the second left out.
        older: when the newest of those below was written; ``None`` if there are none.
        is_newest: whether there are none above.
    """

    low: int
    high: int
    older: datetime | None
    is_newest: bool


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Results of a job with one status, whose reasons differ only in values.

    Args:
        reason: exactly theirs where they all say the same, else what they share.
        sample: the id of the first of them.
        left: how many of them can be sent again.
        key: what their reasons share.
        uncorrected: by kind, the records that are still as they were then.
    """

    status: str
    reason: str
    count: int
    sample: int
    left: int
    key: str
    uncorrected: dict[str, int]

    @property
    def label(self) -> str:
        """The status in words."""
        return str(models.SyncResultStatus(self.status).label)


def find_results(asked: ResultFilter) -> QuerySet[models.SyncResult]:
    """The results that are asked for; of one job in the order in which they were written, of all the newest first."""
    results = models.SyncResult.objects.order_by("-pk" if asked.job is None else "pk")
    if asked.job is not None:
        results = results.filter(job=asked.job)
    if statuses := _statuses(asked.status):
        results = results.filter(status__in=statuses)
    if asked.kind:
        results = results.filter(kind=asked.kind)
    if asked.record is not None:
        results = results.filter(record_id=asked.record)
    if asked.since or asked.until:
        results = _of_jobs_between(results, asked.since, asked.until)
    if asked.same_as is not None:
        sample = models.SyncResult.objects.filter(pk=asked.same_as)
        same = {name: sample.values(name)[:1] for name in ("status", "reason_key")}
        results = results.filter(**{f"{name}__in": value for name, value in same.items()})
    return _that_match(results, asked) if asked.search else results


def _that_match(results: QuerySet[models.SyncResult], asked: ResultFilter) -> QuerySet[models.SyncResult]:
    worded = Q(label__icontains=asked.search) | Q(error__icontains=asked.search)
    if asked.named is None:
        return results.filter(worded)
    # Over all jobs, texts are gone through only where the search names nothing.
    return results.filter(asked.named if asked.job is None else asked.named | worded)


def find_reach(asked: ResultFilter, *, after: int | None = None, before: int | None = None) -> SearchReach | None:
    """Where a page of a search over all jobs looks; ``None`` if it goes by indexes, and so looks everywhere.

    Args:
        after, before: as for :func:`read_page`.
    """
    everything = models.SyncResult.objects.order_by("-pk")
    if asked.job is not None or not asked.search or asked.named is not None:
        return None
    newest = everything.values_list("pk", flat=True).first() or 0
    low, high = (before + 1, before + 1 + REACH) if before is not None else (0, after or newest + 1)
    low = max(low, high - REACH, 0)
    older = everything.filter(pk__lt=low).values_list("created_at", flat=True).first()
    return SearchReach(low, high, older, high > newest)


def read_within(
    results: QuerySet[models.SyncResult],
    reach: SearchReach | None,
    size: int,
    *,
    after: int | None = None,
    before: int | None = None,
) -> ResultPage:
    """A page as :func:`read_page` gives it, of what is within reach; its ends lead on to what lies beyond."""
    if reach is None:
        return read_page(results, size, after=after, before=before)
    page = read_page(results.filter(pk__gte=reach.low, pk__lt=reach.high), size, after=after, before=before)
    further_back = page.after or (reach.low if reach.older else None)
    if before is None:
        return replace(page, after=further_back)
    return replace(
        page, after=page.after or before + 1, before=page.before or (None if reach.is_newest else reach.high)
    )


def read_page(
    results: QuerySet[models.SyncResult], size: int, *, after: int | None = None, before: int | None = None
) -> ResultPage:
    """One page, with job and batch of each row, without what was sent over the wire.

    Args:
        results: ordered by their id, either way.
        size: rows on it.
        after, before: the id of the row behind which it begins, or before which it ends; at most one of them.
    """
    rising = results.query.order_by[0] == "pk"
    back = before is not None
    place = before if back else after
    ordered = results.order_by("pk" if rising is not back else "-pk")
    if place is not None:
        ordered = ordered.filter(**{f"pk__{'gt' if rising is not back else 'lt'}": place})
    found = list(_with_job_and_batch(ordered)[: size + 1])
    rows, more = found[:size], len(found) > size
    if back:
        rows.reverse()
    has_before, has_after = (more, True) if back else (place is not None, more)
    return ResultPage(rows, rows[0].pk if rows and has_before else None, rows[-1].pk if rows and has_after else None)


def with_links(results: QuerySet[models.SyncResult], job: models.SyncJob | None = None) -> QuerySet[models.SyncResult]:
    """Results with what their rows link to.

    Args:
        results: some.
        job: theirs, if they are of one.

    Returns:
        Annotated with ``key_here`` (the key of the record; "" if it has none, ``None`` where it does not exist any
        more), ``open_conflict`` (the id of what a person has to decide about it) and ``is_left`` (whether it can be
        sent again).
    """
    keys = []
    for kind in Kind:
        here = models.records_of_kind(kind).filter(pk=OuterRef("record_id")).order_by()
        key = Coalesce("external_id", Value("")) if kind is Kind.OPPORTUNITY else Value("")
        keys.append(When(kind=kind.value, then=Subquery(here.annotate(key=key).values("key")[:1])))
    about = models.Conflict.objects.filter(
        kind=OuterRef("kind"), record_id=OuterRef("record_id"), decided_at__isnull=True
    )
    left = is_left(job) if job is not None and may_repeat(job) else Q(pk__in=[])
    return results.annotate(
        key_here=Case(*keys, output_field=CharField()),
        open_conflict=Subquery(about.order_by().values("pk")[:1]),
        is_left=Case(When(left, then=Value(True)), default=Value(False)),
    )


def iter_results(results: QuerySet[models.SyncResult]) -> Iterator[models.SyncResult]:
    """All of them with their jobs, in their order, some thousand at a time: no cursor stays open meanwhile."""
    page = read_page(results, _STREAM_ROWS)
    yield from page
    while page.after is not None:
        page = read_page(results, _STREAM_ROWS, after=page.after)
        yield from page


def neighbours(results: QuerySet[models.SyncResult], pk: int) -> tuple[int | None, int | None]:
    """The ids of the results before and after one, among some that are ordered by their id, rising."""
    before, after = results.filter(pk__lt=pk).order_by("-pk"), results.filter(pk__gt=pk).order_by("pk")
    own = models.SyncResult.objects.filter(pk=pk)
    next_to_it = [Subquery(found.values("pk")[:1]) for found in (before, after)]
    return own.values_list(*next_to_it).first() or (None, None)


def attempts_of(result: models.SyncResult) -> QuerySet[models.SyncResult]:
    """All that one job did with the record of a result, in order, itself included."""
    same = models.SyncResult.objects.filter(kind=result.kind, record_id=result.record_id, job=result.job_id)
    return _with_job_and_batch(same.order_by("pk"))


def failure_groups(job: models.SyncJob) -> list[FailureGroup]:
    """The most frequent reasons for which records of a job were not accepted, also where only one has it."""
    failed = job.results.filter(status__in=models.SyncResult.PROBLEM_STATUSES).exclude(error="")
    shared = ("status", "reason_key")
    counted = (
        failed.order_by()
        .values(*shared)
        .annotate(
            count=Count("pk"),
            sample=Min("pk"),
            first=Min("error"),
            last=Max("error"),
            left=Count("pk", filter=is_left(job)) if may_repeat(job) else Value(0),
            **{f"open_{kind}": Count("record_id", filter=condition) for kind, condition in _uncorrected(job).items()},
        )
    )
    rows = counted.order_by("-count", "sample")[:FAILURE_GROUPS]
    return [
        FailureGroup(
            row["status"],
            _shared(row["first"], row["last"]),
            row["count"],
            row["sample"],
            row["left"],
            row["reason_key"],
            {kind.value: count for kind in Kind if (count := row.get(f"open_{kind}"))},
        )
        for row in rows
    ]


def find_shared_reason(job: models.SyncJob, status: str, key: str) -> str:
    """What the reasons of a group say: exactly theirs where they all say the same; "" if there is no such group.

    Args:
        status: of the group.
        key: what its reasons share.
    """
    found = job.results.filter(status=status, reason_key=key).aggregate(first=Min("error"), last=Max("error"))
    return _shared(found["first"], found["last"]) if found["first"] else ""


def _shared(first: str, last: str) -> str:
    return first if first == last else mask_reason(first)


def _uncorrected(job: models.SyncJob) -> dict[Kind, Q]:
    """By kind, the condition that a result is about a record of it that was not corrected since."""
    resend = job.selection.get("resend")
    return {kind: is_uncorrected(job.action, resend, (kind,)) for kind in Kind}


def jobs_touching(term: str) -> Q:
    """The condition that a job dealt with a record of this key, Marketo ID or GUID, or with such words in its name or
    in the reason why it was not accepted.

    Names and reasons are gone through in the newest :data:`REACH` results only.
    """
    results = models.SyncResult.objects.order_by()
    named = _names(term)
    if _are_there(named):
        return Q(pk__in=results.filter(named).values("job"))
    newest = models.SyncResult.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    worded = Q(label__icontains=term) | Q(error__icontains=term)
    return Q(pk__in=results.filter(worded, pk__gt=newest - REACH).values("job"))


def _statuses(status: str) -> list[str]:
    if status == PROBLEMS:
        return list(models.SyncResult.PROBLEM_STATUSES)
    if status == STEPS:
        return list(models.SyncResult.PASSING_STATUSES)
    return [] if status in (ANY, "") else [status]


def _of_jobs_between(
    results: QuerySet[models.SyncResult], since: datetime | None, until: datetime | None
) -> QuerySet[models.SyncResult]:
    """Results of the jobs that were asked for in a time; with bounds for their ids: few others are gone through.

    What a job wrote that was over before has lower ids; what one wrote that was asked for afterwards has higher ones.
    """
    jobs, own = models.SyncJob.objects.order_by(), models.SyncResult.objects.filter(job=OuterRef("pk")).order_by()
    written = jobs.filter(Exists(own)).annotate(one=Subquery(own.values("pk")[:1]))
    if since:
        jobs = jobs.filter(created_at__gte=since)
        over = written.filter(created_at__lt=since, finished_at__lt=since - OVER_FOR).order_by("-created_at")
        results = results.filter(pk__gt=over.values_list("one", flat=True).first() or 0)
    if until:
        jobs = jobs.filter(created_at__lt=until)
        ends = jobs.aggregate(last=Max("finished_at"), open=Count("pk", filter=Q(finished_at=None)))
        if ends["last"] and not ends["open"]:
            later = written.filter(created_at__gt=ends["last"] + OVER_FOR).order_by("created_at")
            if (one := later.values_list("one", flat=True).first()) is not None:
                results = results.filter(pk__lt=one)
    return results.filter(job__in=jobs.values("pk"))


def _names(term: str) -> Q:
    """The condition that a result is about a record with this key, Marketo ID or GUID.

    The records' ids are looked up first: PostgreSQL would read all results to compare them with a query's.
    """
    named = Q(marketo_guid=term.lower())
    if (number := id_in(term, digits=9)) is not None:
        named |= Q(marketo_id=number)
    keyed = models.Opportunity.objects.filter(external_id=term)
    roles = models.OpportunityPersonRole.objects.filter(opportunity__external_id=term)
    ids = defaultdict(list)
    for kind, pk in _kind_and_id(Kind.OPPORTUNITY, keyed).union(_kind_and_id(Kind.ROLE, roles), all=True):
        ids[kind].append(pk)
    for kind, pks in ids.items():
        named |= Q(kind=kind, record_id__in=pks)
    return named


def _are_there(named: Q) -> bool:
    return models.SyncResult.objects.order_by().filter(named).exists()


def _kind_and_id(kind: Kind, records: QuerySet[Any]) -> Any:  # a queryset of pairs
    return records.order_by().annotate(of_kind=Value(kind.value, output_field=CharField())).values_list("of_kind", "pk")


def _with_job_and_batch(results: QuerySet[models.SyncResult]) -> QuerySet[models.SyncResult]:
    return results.select_related("job", "batch").defer(
        "batch__request", "batch__response", "batch__headers", "job__progress", "job__selection"
    )
