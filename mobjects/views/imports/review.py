"""The review: what the check found, tab by tab and page by page; and "Write"."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from openpyxl.utils import get_column_letter

from mobjects import models
from mobjects.db.counting import read_counted_page
from mobjects.imports import service
from mobjects.kept_text import translate_rule
from mobjects.presentation import import_text as words
from mobjects.presentation.vocabulary import join_each
from mobjects.selectors import id_in
from mobjects.views.base import press_only, render_page
from mobjects.views.imports import base, corrections
from mobjects.views.imports.detail import live_context, outcome_tabs, shown_same_file_imports
from mobjects.views.imports.problem_groups import ProblemGroups, read_problem_groups
from mobjects.views.imports.row_choice import choose_rows, read_row
from mobjects.views.imports.row_table import ShortenedText, build_display_rows, truncate_html

FIXES_SHOWN = 50


@require_GET
@base.about_import(rows=True)
def import_review(request: HttpRequest, imported: models.Import) -> HttpResponse:
    """The rows of a file by what the check made of them; with ``?row=`` one of them with all its values."""
    writable = imported.state == models.ImportState.REVIEW and base.may_change(request, imported)
    common: dict[str, Any] = {
        **live_context(imported),
        "steps": words.wizard_steps(imported),
        "twins": shown_same_file_imports(imported),
        "has_rows": words.has_rows(imported),
        "fixable": writable and not imported.committed_to,
        "writable": writable,
        "stamp": corrections.check_stamp(imported),
    }
    title = _("Review of import %(pk)s") % {"pk": imported.pk}
    if not common["has_rows"]:
        return render_page(request, "imports/review.html", title, crumbs=base.import_crumbs(imported), **common)
    if "row" in request.GET:
        return _render_row(request, imported, id_in(request.GET["row"], digits=9) or 0, common)
    choice = choose_rows(request, imported)
    shows_groups = choice.tab == models.ImportRowOutcome.ERROR and not choice.words
    problems = read_problem_groups(imported, id_in(request.GET.get("groups"), digits=9) or 1 if shows_groups else 0)
    fixes, fixes_count = _fixes(imported)
    return render_page(
        request,
        "imports/review.html",
        title,
        crumbs=base.import_crumbs(imported),
        **common,
        tab=choice.tab,
        only=choice.words,
        tabs=outcome_tabs(imported),
        rows=choice.page,
        shown=build_display_rows(imported, choice.rows),
        groups=_groups(imported, problems) if shows_groups else None,
        formats=corrections.describe_formats(imported),
        fixes=fixes,
        fixes_count=fixes_count,
        write=_commit_summary(imported),
        # What to check, each with how many rows it is about.
        warnings=[(group, words.rows_text(group.count)) for group in problems.warnings],
    )


@press_only("mobjects:import-review")
@base.about_import(change=True)
def import_write(request: HttpRequest, imported: models.Import) -> HttpResponse:
    """Write what the check found; what it found has to be what the user saw."""
    seen, mode = request.POST.get("checked"), request.POST.get("mode")
    if imported.state == models.ImportState.REVIEW and seen != corrections.check_stamp(imported):
        messages.warning(request, _("The file was checked again since you opened the page. Look at it once more."))
        return base.redirect_to_step(imported)
    if mode not in models.ImportMode.values and not imported.committed_to:
        messages.error(request, _("Say whether only the valid rows are written, or all or nothing."))
        return base.redirect_to_step(imported)
    if base.may_see_rows(request, imported) and (typed := corrections.read_corrections(request, imported)):
        if corrections.correct_and_check(request, imported, typed):
            messages.warning(
                request, _("Nothing is written yet: what you corrected is checked first. Look at it, then write.")
            )
        return corrections.back_to_review(request, imported)
    overwrite = request.POST.get("overwrite") == "1"
    ask = lambda: service.request_commit(imported, mode or "", overwrite, base.user_of(request))  # noqa: E731
    base.try_transition(request, imported, ask)
    return redirect("mobjects:import", imported.pk)


def _render_row(request: HttpRequest, imported: models.Import, number: int, common: dict[str, Any]) -> HttpResponse:
    row = read_row(imported, number)
    review_url = reverse("mobjects:import-review", args=[imported.pk])
    return render_page(
        request,
        "imports/row.html",
        _("Row %(number)s") % {"number": number},
        crumbs=[*base.import_crumbs(imported), (_("Review of import %(pk)s") % {"pk": imported.pk}, review_url)],
        **common,
        row=build_display_rows(imported, [row], whole=True)[0] if row else None,
    )


def _groups(imported: models.Import, found: ProblemGroups) -> dict[str, Any]:
    rules = corrections.describe_rules(imported) if found.suggested > 1 else []
    rows = [_group(group) for group in found.errors]
    return {"page": found.errors, "rows": rows, "suggested": found.suggested, "rules": rules}


def _group(group: models.ImportGroup) -> dict[str, Any]:
    """A group as the page shows it; ``suggestion`` is ``None`` if it cannot be corrected here."""
    return {
        "group": group,
        "letter": get_column_letter(group.position) if group.position else "",
        "value": _shortened(group.value),
        "rule": _shortened(translate_rule(group.rule), 3 * corrections.VALUE_SHOWN),
        "fixable": group.position is not None,
        "suggestion": corrections.boxed_suggestion(group),
        "rows": words.rows_text(group.count),
    }


def _fixes(imported: models.Import) -> tuple[list[tuple[models.ImportFix, ShortenedText, ShortenedText]], int]:
    """The newest corrections, and how many there are."""
    newest = read_counted_page(imported.fixes.order_by("-pk"), FIXES_SHOWN, 1)
    shown = [(each, _shortened(each.value), _shortened(each.replacement)) for each in newest]
    return shown, newest.paginator.count


def _shortened(text: str, most: int = corrections.VALUE_SHOWN) -> ShortenedText:
    return ShortenedText(truncate_html(text, most))


def _commit_summary(imported: models.Import) -> dict[str, Any]:
    """What "Write" would do, in words."""
    outcomes = ("new", "changed", "conflict", "error")
    new, changed, conflicts, errors = (imported.counts.get(outcome, 0) for outcome in outcomes)
    cleared = imported.blanks.get(models.ImportRowOutcome.CHANGED, 0)
    return {
        "plain": _counts_text(new, changed),
        "cleared": words.values_text(cleared) if cleared else "",
        "overwriting": _counts_text(new, changed + conflicts) if conflicts else "",
        "conflicts": words.rows_text(conflicts) if conflicts else "",
        "errors": words.rows_text(errors) if errors else "",
        "error_rows": errors,
        "broken_off": imported.committed_to > 0,
        "outdated": imported.checked_at is None,
        "stamp": corrections.check_stamp(imported),
    }


def _counts_text(new: int, changed: int) -> str:
    """``312 new and 88 changed``; "" if there is nothing."""
    counts = ((models.ImportRowOutcome.NEW, new), (models.ImportRowOutcome.CHANGED, changed))
    return join_each([words.outcome_count_text(outcome, count) for outcome, count in counts if count])
