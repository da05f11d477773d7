"""Lists of records narrowed by conditions on any field: shown as chips, each with a link that takes it away."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.admin.guarded import GuardedAdmin
from mobjects.admin.lists.views import ListOfViews
from mobjects.filters.asked import add_condition, read_conditions
from mobjects.filters.conditions import (
    OPERATOR_WORDS,
    OPERATORS,
    WHERE,
    FilterRefused,
    build_condition,
)
from mobjects.filters.fields import UNCORRECTED, FieldType, FilterField, fields_of, seen_fields
from mobjects.filters.periods import OFFERED, period_words
from mobjects.filters.queries import apply_conditions
from mobjects.models import CustomField, Kind
from mobjects.views.keyset import AFTER, BEFORE, COLUMNS, VIEW
from mobjects.views.lists.chips import ALL, condition_words, without
from mobjects.views.lists.columns import (
    CHOSEN,
    chosen_columns,
    column_name,
    kept_inputs,
    offered_columns,
    read_places,
)

NO_COLUMNS = frozenset({"last_error", "last_synced_at", "edited_at", "edited_by", "held", "job", UNCORRECTED})
"""Fields that are no columns, or are shown as columns under other names."""
_OF_FILTERS = ("", "exact", "in", "isnull")
"""What Django's filters of a field with choices write behind its name."""
ADDED, OPERATOR, VALUE = "add", "op", "value"
"""What the form that adds a condition sends."""


def request_fields(request: HttpRequest, kind: Kind) -> dict[str, FilterField]:
    """The fields to filter by; read once for a page however many parts of it ask."""
    kept: dict[Kind, dict[str, FilterField]] = request.__dict__.setdefault("_filter_fields", {})
    if kind not in kept:
        kept[kind] = seen_fields(fields_of(kind, request_custom_fields(request, kind)), request.user)
    return kept[kind]


def request_custom_fields(request: HttpRequest, kind: Kind) -> list[CustomField]:
    """The custom fields of a kind; programs have none. Read once for a page."""
    kept: dict[Kind, list[CustomField]] = request.__dict__.setdefault("_custom_fields", {})
    if kind not in kept:
        kept[kind] = [] if kind is Kind.PROGRAM else list(CustomField.objects.filter(kind=kind.value))
    return kept[kind]


class ConditionFilter(admin.SimpleListFilter):
    """All conditions of the address (:mod:`mobjects.filters`). What it offers stands above the list."""

    title = _("condition")
    parameter_name = WHERE
    template = "mobjects/lists/nothing.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.user = request.user
        self.conditions = read_conditions(request.GET, request_fields(request, model.KIND))

    def has_output(self) -> bool:
        return True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def choices(self, changelist: Any) -> Any:
        return self.shown

    @cached_property
    def shown(self) -> list[dict[str, Any]]:
        """What is chosen; a page asks for it more than once."""
        words = condition_words(self.conditions, self.user)
        return [
            {"selected": True, "display": said, "text": each.write()}
            for each, said in zip(self.conditions, words, strict=True)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return apply_conditions(queryset, self.conditions, queryset.model.KIND, request.user.get_username())


class NarrowedAdmin(ListOfViews, GuardedAdmin):
    """Base of the admin pages of records: lists that are narrowed by any field and show any column."""

    class Media:
        js: ClassVar[tuple[str, ...]] = ("mobjects/filters.js",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Whether an address may narrow the list by this: what its filters write.

        Raises:
            FilterRefused: it may not.
        """
        declared = {getattr(each, "parameter_name", each) for each in self.get_list_filter(request or HttpRequest())}
        name, _parts, comparison = lookup.partition("__")
        if name not in declared or comparison not in _OF_FILTERS:
            said = gettext("Lists are not narrowed by “%(name)s”. Use the filters and the search of the list.")
            raise FilterRefused(said % {"name": lookup[:60]})
        return True

    # --- columns ---

    def usual_columns(self, request: HttpRequest) -> list[Any]:
        """The columns of a list whose address names none."""
        return list(self.list_display)

    def further_columns(self, request: HttpRequest) -> list[Any]:
        """What the list can show besides."""
        return [name for name, field in request_fields(request, self.model.KIND).items() if _is_column(field)]

    def all_columns(self, request: HttpRequest) -> dict[str, Any]:
        """All that the list can show, by their names in addresses."""
        usual = {column_name(column): column for column in self.usual_columns(request)}
        shown = {name.removesuffix("_text") for name in usual}
        further = {column_name(column): column for column in self.further_columns(request)}
        return {**usual, **{name: column for name, column in further.items() if name not in shown}}

    def get_list_display(self, request: HttpRequest) -> Any:
        usual = self.usual_columns(request)
        return chosen_columns(request.GET, self.all_columns(request)) if COLUMNS in request.GET else usual

    # --- the page ---

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if CHOSEN in request.GET:
            return HttpResponseRedirect(f"?{read_places(request.GET, self.all_columns(request)).urlencode() or ALL}")
        fields = request_fields(request, self.model.KIND)
        adding = {name: request.GET.get(name, "") for name in (ADDED, OPERATOR, VALUE)}
        refusal = ""
        if ADDED in request.GET:
            rest = without(request.GET, *adding, AFTER, BEFORE)
            request.GET = rest  # type: ignore[assignment]  # what follows reads it, and nothing writes it
            try:
                condition = build_condition(adding[ADDED], adding[OPERATOR], adding[VALUE], fields)
                return HttpResponseRedirect(f"?{add_condition(rest, condition).urlencode()}")
            except FilterRefused as error:
                refusal = str(error)
        response: Any = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown:
            shown["adding"] = {**adding, "refusal": refusal, **_offers(fields)}
            shown["kept"] = kept_inputs(request, VIEW)
            shown["columns"] = offered_columns(self, self.get_list_display(request), self.all_columns(request))
        return response  # type: ignore[no-any-return]


def _is_column(field: FilterField) -> bool:
    """Whether a field to filter by is a column of the records' own table."""
    return field.part is None and not field.is_custom and field.name not in NO_COLUMNS


def _offers(fields: dict[str, FilterField]) -> dict[str, Any]:
    """What the form that adds a condition offers."""
    types = {
        operator: " ".join(each for each in FieldType if operator in OPERATORS[each]) for operator in OPERATOR_WORDS
    }
    return {
        "fields": list(fields.values()),
        "operators": [(name, words, types[name]) for name, words in OPERATOR_WORDS.items()],
        "periods": [(name, period_words(name)) for name in OFFERED],
        "choices": [each for each in fields.values() if each.choices],
    }
