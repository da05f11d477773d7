"""Corrections that are asked for on the pages of a review: whatever stands in its boxes counts, whichever button is
pressed, and the file is checked once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, F, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from mobjects import models
from mobjects.audit.events import record_event
from mobjects.imports import service
from mobjects.imports.column_mapping import columns_of
from mobjects.imports.formats.questions import QUESTIONS
from mobjects.imports.service import Correction
from mobjects.presentation.import_text import rows_text
from mobjects.selectors import id_in
from mobjects.views.base import press_only
from mobjects.views.imports import base

VALUE_SHOWN = 120
"""Longest suggestion that stands in the box of its group."""
NUMBER, GROUP, FORMAT = "number_", "group_", "format_"
"""Before the id of a problem, the id of a group, the name of a question: the boxes of the form."""
SAMPLES = 3
RULES_SHOWN = 20


class AskedCorrections(NamedTuple):
    """What a form of the review asks for."""

    corrections: list[Correction]
    removed: list[int]
    formats: dict[str, str] | None

    def __bool__(self) -> bool:
        return bool(self.corrections or self.removed or self.formats is not None)


@press_only("mobjects:import-review")
@base.about_import(change=True, rows=True)
def import_fix(request: HttpRequest, imported: models.Import) -> HttpResponse:
    """Correct what the boxes of the page say, and what the button says, and check again.

    Takes ``group_<id>`` (all equal cells), ``number_<id>`` (a single cell) and ``format_<question>``, of which those
    count that differ from what the page showed; and ``act``: ``group-<id>`` (its box, whatever stands there),
    ``rule-<id>`` (what is suggested for all cells that break the rule of this group), ``suggestions`` (all of them),
    ``remove-<id>`` (take a correction back), ``check`` (check again in any case).
    """
    asked = read_corrections(request, imported)
    if is_outdated(request, imported) and asked:
        messages.warning(
            request,
            _("The file was checked again since you opened the page; nothing of what you gave there was applied."),
        )
    elif asked or request.POST.get("act") == "check":
        correct_and_check(request, imported, asked)
    elif request.POST.get("act", "").startswith("remove-"):
        messages.info(request, _("That correction was removed already."))
    else:
        messages.info(request, _("Nothing to correct: no value differs from what stands in the file."))
    return back_to_review(request, imported)


def is_outdated(request: HttpRequest, imported: models.Import) -> bool:
    """Whether a form comes from a page of another check than the last."""
    waits = imported.state == models.ImportState.REVIEW
    return waits and "checked" in request.POST and request.POST["checked"] != check_stamp(imported)


def check_stamp(imported: models.Import) -> str:
    """Which check a page shows."""
    return imported.checked_at.isoformat() if imported.checked_at else ""


def correct_and_check(request: HttpRequest, imported: models.Import, asked: AskedCorrections) -> bool:
    """Keep corrections and have the file checked again, both or neither."""
    correct = partial(
        service.correct_import,
        imported,
        asked.corrections,
        removed=asked.removed,
        formats=asked.formats,
        username=request.user.get_username(),
    )

    def both() -> None:
        with transaction.atomic():
            correct()
            service.request_check(imported)
            record_event(models.EventKind.CHECKED_AGAIN, on=imported, detail={"corrections": len(asked.corrections)})

    return base.try_transition(request, imported, both)


def back_to_review(request: HttpRequest, imported: models.Import) -> HttpResponse:
    """Lead back to the tab from which a form came."""
    tab = request.POST.get("tab", "")
    query = f"?tab={tab}" if tab in models.ImportRowOutcome.values else ""
    return redirect(reverse("mobjects:import-review", args=[imported.pk]) + query)


# --- what a form asks for -------------------------------------------------------------------


def read_corrections(request: HttpRequest, imported: models.Import) -> AskedCorrections:
    """What a form of the review asks for; what a person typed goes before what is suggested."""
    act, _, named = request.POST.get("act", "").partition("-")
    pk = id_in(named) or 0
    corrections = [
        *(_suggested_corrections(imported, pk if act == "rule" else None) if act in ("rule", "suggestions") else ()),
        *_of_groups(request, imported, pk if act == "group" else 0),
        *_of_cells(request, imported),
    ]
    removed = list(imported.fixes.filter(pk=pk).values_list("pk", flat=True)) if act == "remove" else []
    return AskedCorrections(corrections, removed, _of_formats(request, imported))


def _given(request: HttpRequest, prefix: str) -> dict[int, str]:
    named = ((id_in(name.removeprefix(prefix)), str(text)) for name, text in request.POST.items() if prefix in name)
    return {pk: text for pk, text in named if pk}


def _of_groups(request: HttpRequest, imported: models.Import, pressed: int) -> Iterator[Correction]:
    given = _given(request, GROUP)
    for group in suggestible_groups(imported).filter(pk__in=given):
        text = given[group.pk]
        if text != group.value and (group.pk == pressed or text != boxed_suggestion(group)):
            yield Correction(group.column, group.value, text)


def _of_cells(request: HttpRequest, imported: models.Import) -> Iterator[Correction]:
    given = _given(request, NUMBER)
    for problem in imported.found_problems.filter(pk__in=given, position__isnull=False):
        # A browser sends line breaks in its own way.
        if _lines(given[problem.pk]) != _lines(problem.value):
            yield Correction(problem.column, problem.value, given[problem.pk], problem.number)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _of_formats(request: HttpRequest, imported: models.Import) -> dict[str, str] | None:
    """The answers that the form gives, if they are others than before."""
    given = dict(imported.formats)
    for question in QUESTIONS:
        answer = request.POST.get(f"{FORMAT}{question.name}")
        if answer == "":
            given.pop(question.name, None)
        elif answer in question.answers:
            given[question.name] = answer
    return None if given == imported.formats else given


# --- suggestions ----------------------------------------------------------------------------


def suggestible_groups(imported: models.Import) -> QuerySet[models.ImportGroup]:
    """The errors that can be corrected on the page."""
    return imported.groups.filter(level=models.ImportProblemLevel.ERROR, position__isnull=False)


def boxed_suggestion(group: models.ImportGroup) -> str:
    """What stands in the box of a group before anybody types there; a box of one line has no place for several."""
    fits = len(group.suggestion) <= VALUE_SHOWN and len(group.suggestion.splitlines()) <= 1
    return group.suggestion if fits else ""


def _suggested_corrections(imported: models.Import, pk: int | None) -> Iterator[Correction]:
    """What is suggested for the cells that break the rule of a group, or any rule.

    What is suggested for a text is a guess at this very text, so each is a correction of its own.
    """
    groups = suggestible_groups(imported).exclude(suggestion="")
    if pk is not None:
        of_group = groups.filter(pk=pk).first()
        groups = groups.filter(column=of_group.column, rule=of_group.rule) if of_group else groups.none()
    texts = {column.name for column in columns_of(imported.kind) if column.is_text}
    for group in groups.filter(column__in=texts):
        yield Correction(group.column, group.value, group.suggestion)
    for column, rule in groups.exclude(column__in=texts).order_by().values_list("column", "rule").distinct():
        yield Correction(column, rule, "", by_rule=True)


def describe_rules(imported: models.Import) -> list[dict[str, Any]]:
    """The rules that several values break for which something is suggested, with samples; the most frequent first."""
    rule = [F("column"), F("rule")]
    groups = suggestible_groups(imported).exclude(suggestion="").order_by()
    counted = groups.annotate(
        values_in_all=Window(Count("pk"), partition_by=rule),
        rows_in_all=Window(Sum("count"), partition_by=rule),
        place=Window(RowNumber(), partition_by=rule, order_by=[F("count").desc(), F("pk").asc()]),
    )
    samples: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    shown = counted.filter(values_in_all__gt=1, place__lte=SAMPLES).order_by("-rows_in_all", "column", "rule", "place")
    for group in shown[: RULES_SHOWN * SAMPLES]:
        samples[group.column, group.rule].append(group)
    return [
        {
            "column": column,
            "rule": broken,
            "values": found[0].values_in_all,
            "rows": rows_text(found[0].rows_in_all),
            "samples": found,
            "act": f"rule-{found[0].pk}",
        }
        for (column, broken), found in list(samples.items())[:RULES_SHOWN]
    ]


# --- formats --------------------------------------------------------------------------------


def describe_formats(imported: models.Import) -> list[dict[str, Any]]:
    """How the file writes its values, as the check found, with what can be chosen instead."""
    questions = {question.name: question for question in QUESTIONS}
    return [
        {
            **found,
            "label": questions[found["question"]].label,
            "name": f"{FORMAT}{found['question']}",
            "answer_label": questions[found["question"]].answers.get(found["answer"], ""),
            "choices": questions[found["question"]].answers.items(),
            "chosen": imported.formats.get(found["question"], ""),
        }
        for found in imported.format_findings
        if found["question"] in questions
    ]
