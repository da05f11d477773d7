"""Filters of lists: by a column of free text, which stay small however many values it holds, by an import, by a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Max, Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.models import Import, ImportChange, Kind, Program, Schedule, SyncResult, records_of_kind
from mobjects.resources import RESOURCES
from mobjects.selectors import id_in
from mobjects.sync.content.gaps import RecordGap, find_gap
from mobjects.sync.transport_factory import key_fields
from mobjects.views.keyset import AFTER, BEFORE
from mobjects.views.sync.result_list import read_dates, start_of_day

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SHOWN = 50
WORDS = {"created": _("created"), "changed": _("changed"), "channels": _("channel set")}


class DayFilter(admin.DateFieldListFilter):
    """Filter by when something was written, named so that people know what is meant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("day")


class PeriodFilter(admin.SimpleListFilter):
    """Filter jobs by the days between which they were asked for, the last one included, as people type them."""

    title = _("Asked for")
    parameter_name = "since"
    template = "mobjects/lists/period_filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        params.pop("until", None)
        self.days = read_dates(request)
        self.used_parameters = {name: day for name in ("since", "until") if (day := getattr(self.days, name))}
        named = request.GET.copy()
        for name in ("since", "until", AFTER, BEFORE):
            named.pop(name, None)
        self.others = [(name, value) for name, values in named.lists() for value in values]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return ["since", "until"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if since := start_of_day(self.days.since):
            queryset = queryset.filter(created_at__gte=since)
        if until := start_of_day(self.days.until, days=1):
            queryset = queryset.filter(created_at__lt=until)
        return queryset


class ValueFilter(admin.SimpleListFilter):
    """Filter by a value; a value that is chosen but not among those offered is shown as well."""

    parameter_name: str = ""
    title_of_some: StrOrPromise = ""
    """The title where not all values are offered."""

    def values(self, queryset: QuerySet[Any]) -> list[str]:
        """The first values to offer, and one more if there are more."""
        found = queryset.exclude(**{self.parameter_name: ""}).order_by(self.parameter_name)
        return list(found.values_list(self.parameter_name, flat=True).distinct()[: SHOWN + 1])

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        offered = self.values(model_admin.model.objects.all())
        if len(offered) > SHOWN:
            self.title = self.title_of_some % {"count": SHOWN}
        chosen = request.GET.get(self.parameter_name, "").replace("\0", "")
        names = offered[:SHOWN]
        return [(name, name) for name in ([chosen] if chosen and chosen not in names else []) + names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class TypeFilter(ValueFilter):
    """Filter by type."""

    title = _("type")
    title_of_some = _("type (the first %(count)s; search for others)")
    parameter_name = "type"


class PersonFilter(ValueFilter):
    """Filter by the name of a user, those first who did something last."""

    title = _("user")
    title_of_some = _("user (the newest %(count)s; search for others)")
    parameter_name = "username"

    def values(self, queryset: QuerySet[Any]) -> list[str]:
        named = queryset.exclude(username="").order_by().values("username").annotate(newest=Max("created_at"))
        return list(named.order_by("-newest", "username").values_list("username", flat=True)[: SHOWN + 1])


class ImportFilter(admin.SimpleListFilter):
    """Filter by import: ``12-created``, ``12-changed``; ``12-channels`` are the programs whose channel a tags file set.

    It is shown only where it is in use.
    """

    title = _("import")
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get(self.parameter_name, "")
        number, _, what = value.partition("-")
        return (
            [(value, gettext("%(what)s by import %(number)s") % {"what": WORDS[what], "number": number})]
            if what in WORDS and id_in(number)
            else _as_given(value)
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        number, _, what = (self.value() or "").partition("-")
        pk = id_in(number)
        if pk is None or what not in WORDS:
            return queryset.none() if self.value() else queryset
        if what == "channels":
            set_here = ImportChange.objects.filter(imported=pk, record_id=None)
            return queryset.filter(pk__in=set_here.values("owner_id")) if queryset.model is Program else queryset.none()
        written = ImportChange.objects.filter(imported=pk, created=what == "created")
        here = Import.objects.filter(pk=pk, kind__in=_kinds_of(queryset.model))
        return queryset.filter(pk__in=written.filter(imported__in=here).values("record_id"))


def _as_given(value: str) -> list[tuple[str, str]]:
    """The choice of a value that a filter does not know, so that it is shown; no record has it."""
    return [(value, value)] if value else []


class TouchedFilter(admin.SimpleListFilter):
    """Filter jobs by a record that they dealt with: ``Opportunity-12``. It is shown only where it is in use."""

    title = _("record")
    parameter_name = "touched"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get(self.parameter_name, "").replace("\0", "")
        kind, _, number = value.partition("-")
        if kind not in tuple(Kind) or id_in(number) is None:
            return _as_given(value)
        record = records_of_kind(Kind(kind)).filter(pk=number).first()
        return [(value, str(record) if record else f"{kind} {number}")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        kind, _, number = (self.value() or "").partition("-")
        if kind not in tuple(Kind) or (pk := id_in(number)) is None:
            return queryset.none() if self.value() else queryset
        return queryset.filter(pk__in=SyncResult.objects.filter(kind=kind, record_id=pk).order_by().values("job"))


class ScheduleFilter(admin.SimpleListFilter):
    """Filter jobs by the schedule that asked for them: its id. It is shown only where it is in use."""

    title = _("schedule")
    parameter_name = "schedule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get(self.parameter_name, "")
        if (pk := id_in(value)) is None:
            return _as_given(value)
        return [(value, str(Schedule.objects.filter(pk=pk).first() or value))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        pk = id_in(self.value() or "")
        if pk is None:
            return queryset.none() if self.value() else queryset
        return queryset.filter(schedule=pk)


class GapFilter(admin.SimpleListFilter):
    """Filter by what records lack for the API in use (:mod:`mobjects.sync.content.gaps`).

    It is shown only where it is in use. A gap that the API in use does not know is one that no record has.
    """

    title = _("what is missing")
    parameter_name = "gap"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get(self.parameter_name, "").replace("\0", "")
        gap = _gap_of(model_admin.model, value)
        return (
            [(value, gap.words if gap else gettext("“%(value)s” (nothing lacks this)") % {"value": value})]
            if value
            else []
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        gap = _gap_of(queryset.model, value)
        return queryset.filter(gap.condition) if gap else queryset.none()


def _gap_of(model: type[Model], name: str) -> RecordGap | None:
    return find_gap(key_fields(), model, name)


def _kinds_of(model: type[Model]) -> list[str]:
    """The kinds of files whose rows mean such records."""
    return [kind for kind, resource in RESOURCES.items() if resource._meta.model is model]
