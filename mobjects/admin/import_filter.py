"""Lists narrowed to what one import wrote; a page that counts it links here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from mobjects.models import Import, ImportChange
from mobjects.resources import RESOURCES
from mobjects.selectors import id_in

WORDS = {"created": "created", "changed": "changed"}


class ImportFilter(admin.SimpleListFilter):
    """Filter by import: ``12-created``, ``12-changed``. It is shown only where it is in use."""

    title = "import"
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get(self.parameter_name, "")
        number, _, what = value.partition("-")
        return [(value, f"{WORDS[what]} by import {number}")] if what in WORDS and id_in(number) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        number, _, what = (self.value() or "").partition("-")
        pk = id_in(number)
        if pk is None or what not in WORDS:
            return queryset
        written = ImportChange.objects.filter(imported=pk, created=what == "created")
        here = Import.objects.filter(pk=pk, kind__in=_kinds_of(queryset.model))
        return queryset.filter(pk__in=written.filter(imported__in=here).values("record_id"))


def _kinds_of(model: type[Model]) -> list[str]:
    """The kinds of files whose rows mean such records."""
    return [kind for kind, resource in RESOURCES.items() if resource._meta.model is model]
