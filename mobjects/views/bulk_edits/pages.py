"""Changing many records at once: what is to be done, what it would do, the change as it goes on, and taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.forms import Field
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from mobjects.bulk_edits import service
from mobjects.bulk_edits.operations import (
    COSTS,
    EDITED_MODELS,
    Do,
    EditOperation,
    item_ids,
    list_operations,
    operation_of,
    rights_needed,
    target_of,
)
from mobjects.forms.bulk_edits import OperationForm, ValuesForm, build_values_form, grouped_choices
from mobjects.models import (
    AllowedValues,
    Approval,
    BulkEdit,
    BulkEditOutcome,
    BulkEditState,
    Kind,
    SyncedRecord,
)
from mobjects.presentation.count_links import linked_count
from mobjects.processes import status as queue_status
from mobjects.resources.columns import CustomColumn, FileColumn
from mobjects.views.approvals.sentences import hold_text
from mobjects.views.base import (
    none_selected,
    paginate_rows,
    press_only,
    render_page,
    require_permission,
    say_not_done,
    signed_in,
)
from mobjects.views.bulk_edits.sentences import (
    ValueTexts,
    choice_words,
    describe_change,
    describe_plan,
    describe_target,
)
from mobjects.views.changelist_filters import get_filtered_list
from mobjects.views.sync.confirm import confirm_selection

PER_PAGE = 50
MOST_DIGITS = 9
State = BulkEditState
OPEN = (State.CHOOSING, State.REVIEW)


def ask_and_choose(request: HttpRequest, model: type[Model], records: QuerySet[Any]) -> HttpResponse:
    """Write down which records are meant, and lead to the page that asks what is to be done."""
    filters = get_filtered_list(request, model).description if request.POST.get("select_across") == "1" else ""
    chosen = model._default_manager.filter(pk__in=records.values("pk"))
    asked = service.ask_bulk_edit(chosen, filters, signed_in(request))
    return redirect("mobjects:bulk-edit", asked.pk)


@require_GET
def bulk_edit_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What a bulk edit would do, does, or did."""
    was_held = Exists(Approval.objects.filter(bulk_edit=OuterRef("pk")))
    asked = get_object_or_404(BulkEdit.objects.annotate(was_held=was_held), pk=pk)
    if not _may_see(request, asked):
        return _denied(request)
    if asked.state in OPEN and (asked.state == State.CHOOSING or "again" in request.GET):
        return _show_choices(request, asked)
    return _show_rows(request, asked)


def _show_choices(
    request: HttpRequest, asked: BulkEdit, form: ValuesForm | None = None, status: int = 200
) -> HttpResponse:
    """Ask what is to be done and, once that is chosen, for its values."""
    offers = _offers(request, asked.model)
    groups = grouped_choices((each.operation, each.words) for each in offers.values())
    key = form.asked.key if form else request.GET.get("do")
    chosen = OperationForm(groups, None if key is None else {"do": key})
    if form is None and key in offers:
        form = build_values_form(offers[key].operation, asked.model, offers[key].field)
    return render_page(
        request,
        "bulk_edits/choose.html",
        gettext("Edit many records"),
        crumbs=_crumbs(asked),
        status=status,
        asked=asked,
        what=describe_target(asked),
        chosen=chosen,
        form=form,
        words=_heading(offers[form.asked.key]) if form else "",
        allowed=AllowedValues(),
        problem=asked.counts.get("problem", ""),
        cancel=_list(asked),
        may=_may_change(request, asked),
    )


def _heading(offer: Offer) -> str:
    do = Do(offer.operation.do)
    return f"{do.label}: {offer.words}" if offer.operation.field else str(do.label)


def _show_rows(request: HttpRequest, asked: BulkEdit) -> HttpResponse:
    tabs = _tabs(asked)
    shown = next((name for name, *_rest in tabs if name == request.GET.get("show")), tabs[0][0] if tabs else "")
    found = asked.rows.filter(outcome=shown).order_by("number")
    rows = paginate_rows(request, found, PER_PAGE, count=next((n for name, _w, n in tabs if name == shown), 0))
    planned = "changed" in asked.counts
    change = describe_change(asked, asked.counts.get("written", asked.counts["changed"])) if planned else ""
    return render_page(
        request,
        "bulk_edits/page.html",
        gettext("Check the bulk edit") if asked.state == State.REVIEW else str(asked),
        crumbs=_crumbs(asked),
        asked=asked,
        what=describe_target(asked),
        total=len(item_ids(asked)),
        plan=describe_plan(asked) if planned else "",
        change=change,
        linked=_linked_counts(asked, tabs, change),
        tabs=tabs,
        shown=shown,
        rows=rows,
        items=list(name_rows(asked, rows)),
        approvals=_approvals(asked),
        key=operation_of(asked).key,
        may=_may_change(request, asked),
        may_confirm=_may_do(request, asked.model, operation_of(asked)),
        may_undo=_may_undo(request, asked),
        may_sync=request.user.has_perm("mobjects.sync_records"),
        worker_alive=queue_status.worker_alive() if asked.is_working else True,
        cancel=_list(asked),
    )


def _approvals(asked: BulkEdit) -> list[tuple[Approval, str]]:
    """What held it, with what became of that; most were never held, and then nothing is read."""
    was_held = getattr(asked, "was_held", True)
    return [(each, hold_text(each)) for each in asked.approvals.order_by("-pk")] if was_held else []


def _tabs(asked: BulkEdit) -> list[tuple[str, str, int]]:
    """The lists of rows that there are: outcome, words and number."""
    counts, restored = asked.counts, asked.undone.get("kept", 0)
    if "changed" not in counts or asked.state == State.PLANNING:
        return []
    done = "written" in counts
    numbers = {
        BulkEditOutcome.CHANGED: counts["written"] - restored if done else counts["changed"],
        BulkEditOutcome.KEPT: restored,
        BulkEditOutcome.LEFT: counts.get("left", 0),
        BulkEditOutcome.UNCHANGED: counts["same"],
        BulkEditOutcome.REFUSED: counts["refused"],
    }
    words = {name: str(name.label) for name in numbers}
    if asked.state == State.UNDONE:
        words[BulkEditOutcome.CHANGED] = gettext("Undone")
    return [(name.value, words[name], number) for name, number in numbers.items() if number]


def _linked_counts(asked: BulkEdit, tabs: list[tuple[str, str, int]], change: str) -> dict[str, SafeString | str]:
    """What the sentence of one that is over counts, each figure as a link to exactly these where they are listed.

    Args:
        change: what was done to how many, which leads to these.
    """
    listed = {} if asked.values_removed_at else {name: number for name, _words, number in tabs}
    counts = {
        "restored": (BulkEditOutcome.CHANGED, asked.undone.get("restored", 0)),
        "kept": (BulkEditOutcome.KEPT, asked.undone.get("kept", 0)),
        "left": (BulkEditOutcome.LEFT, asked.counts.get("left", 0)),
    }
    changed = format_html('<a href="?show={}">{}</a>', BulkEditOutcome.CHANGED, change)
    return {
        "change": changed if listed.get(BulkEditOutcome.CHANGED) else change,
        **{
            name: linked_count(number, f"?show={outcome}" if number and listed.get(outcome) == number else "")
            for name, (outcome, number) in counts.items()
        },
    }


def name_rows(asked: BulkEdit, rows: Any) -> Iterator[dict[str, Any]]:
    """The rows of a page with the records that they are about."""
    name, texts = target_of(asked), ValueTexts(asked)
    links = ("program",) if name == COSTS else ("opportunity",) if name == "opportunitypersonrole" else ()
    records = EDITED_MODELS[name]._default_manager.select_related(*links)
    found = records.in_bulk([row.record_id for row in rows])
    for row in rows:
        record: Any = found.get(row.record_id)
        label = gettext("No. %(number)s, which is not here any more") % {"number": row.record_id}
        if record is not None:
            label = f"{record.program}: {record}" if name == COSTS else str(record)
        yield {
            "row": row,
            "label": label,
            "address": reverse(f"admin:mobjects_{name}_change", args=[row.record_id]) if record else "",
            "old": texts.show(row.old),
            "new": texts.show(row.new),
        }


@press_only("mobjects:bulk-edit")
def bulk_edit_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Work out what the chosen operation would do."""
    asked = get_object_or_404(BulkEdit, pk=pk)
    key = request.POST.get("do", "")
    if not key and _may_change(request, asked):
        return redirect("mobjects:bulk-edit", pk)
    offer = _offers(request, asked.model).get(key)
    if not _may_change(request, asked) or offer is None:
        return _denied(request)
    form = build_values_form(offer.operation, asked.model, offer.field, request.POST)
    if not form.is_valid():
        return _show_choices(request, asked, form, status=400)
    if not service.choose_operation(asked, form.operation):
        messages.info(request, gettext("It has gone on meanwhile; this is how it stands."))
    return redirect("mobjects:bulk-edit", pk)


@press_only("mobjects:bulk-edit")
def bulk_edit_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Do what the page showed."""
    asked = get_object_or_404(BulkEdit, pk=pk)
    if not _may_change(request, asked) or not _may_do(request, asked.model, operation_of(asked)):
        return _denied(request)
    plan, user = request.POST.get("plan", ""), signed_in(request)
    if not (plan.isdecimal() and len(plan) < MOST_DIGITS and service.confirm_bulk_edit(asked, int(plan), user)):
        say_not_done(request, gettext("It was confirmed already, or another choice was made since; look again."), asked)
    return redirect("mobjects:bulk-edit", pk)


@press_only("mobjects:bulk-edit")
def bulk_edit_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it back."""
    asked = get_object_or_404(BulkEdit, pk=pk)
    if not _may_do(request, asked.model, operation_of(asked)):
        return _denied(request)
    if not service.undo_bulk_edit(asked, signed_in(request)):
        say_not_done(request, gettext("That was asked for already."), asked)
    return redirect("mobjects:bulk-edit", pk)


@press_only("mobjects:bulk-edit")
@require_permission("mobjects.sync_records")
def bulk_edit_sync(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what would be sent of the records that were changed, and ask."""
    asked = get_object_or_404(BulkEdit, pk=pk)
    if not _may_see(request, asked):
        return _denied(request)
    model: Any = apps.get_model("mobjects", asked.model)
    kind = model.KIND if issubclass(model, SyncedRecord) else Kind.PROGRAM
    ids = service.changed_owners(asked)
    return confirm_selection(request, kind, ids) if ids else none_selected(request, kind)


# --- rights ---------------------------------------------------------------------------------------------------------


class Offer(NamedTuple):
    """Something that a person may do: without values, in words, and with the input of its field."""

    operation: EditOperation
    words: str
    field: Field | None


def _offers(request: HttpRequest, model_name: str) -> dict[str, Offer]:
    """What the person may do, by the inputs that the records' forms have for them."""
    names = {model_name, COSTS} if model_name == "program" else {model_name}
    fields = {name: _form_fields(request, name) for name in names}
    found = {}
    for operation, column in list_operations(model_name):
        inputs = fields[operation.target or model_name]
        is_open = column is None or _input_name(column) in inputs
        if is_open and _may_do(request, model_name, operation):
            field = inputs[_input_name(column)] if column else None
            found[operation.key] = Offer(operation, choice_words(operation, column), field)
    return found


def _form_fields(request: HttpRequest, model_name: str) -> dict[str, Field]:
    """The inputs of the form of an existing record; what is locked is not among them."""
    model = EDITED_MODELS[model_name]
    form = admin.site.get_model_admin(model).get_form(request, model(), change=True)
    fields: dict[str, Field] = form.base_fields
    return fields


def _input_name(column: FileColumn) -> str:
    return f"custom_{column.name}" if isinstance(column, CustomColumn) else column.field


def _may_do(request: HttpRequest, model_name: str, operation: EditOperation) -> bool:
    return all(request.user.has_perm(right) for right in rights_needed(model_name, operation))


def _may_change(request: HttpRequest, asked: BulkEdit) -> bool:
    """Whether the person may go on with it."""
    return request.user.has_perm(f"mobjects.change_{asked.model}")


def _may_see(request: HttpRequest, asked: BulkEdit) -> bool:
    return request.user.has_perm(f"mobjects.view_{asked.model}")


def _may_undo(request: HttpRequest, asked: BulkEdit) -> bool:
    over = asked.state == State.APPLIED and asked.values_removed_at is None
    return over and bool(asked.counts["written"]) and _may_do(request, asked.model, operation_of(asked))


def _denied(request: HttpRequest) -> HttpResponse:
    return render_page(request, "denied.html", gettext("Not allowed"), status=403, what=gettext("edit these records"))


def _crumbs(asked: BulkEdit) -> tuple[tuple[str, str], ...]:
    plural = apps.get_model("mobjects", asked.model)._meta.verbose_name_plural
    return ((str(plural).capitalize(), _list(asked)),)


def _list(asked: BulkEdit) -> str:
    return reverse(f"admin:mobjects_{asked.model}_changelist")
