"""Acting on records that a person names in a pasted list or a file, instead of ticking them in a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from mobjects.forms.named_records import ChosenRecordsForm, NamedRecordsForm
from mobjects.forms.pull import join_ids
from mobjects.models import RECORD_MODELS, Kind
from mobjects.presentation.vocabulary import KIND_WORDS, selected_text
from mobjects.views.base import list_url, render_denied, render_page
from mobjects.views.marketo.delete import confirm_delete
from mobjects.views.marketo.pull import confirm_compare, confirm_pull
from mobjects.views.sync.confirm import confirm_selection
from mobjects.views.uploads import takes_upload

ACTIONS: dict[str, tuple[str, object, Callable[[HttpRequest, Kind, Sequence[int]], HttpResponse]]] = {
    "sync": ("mobjects.sync_records", _("Sync to Marketo…"), confirm_selection),
    "pull": ("mobjects.pull_records", _("Pull from Marketo…"), confirm_pull),
    "compare": ("mobjects.pull_records", _("Compare with Marketo…"), confirm_compare),
    "delete": ("mobjects.delete_in_marketo", _("Delete in Marketo…"), confirm_delete),
}
"""What can be done with the records: the right that it takes, the words, and the page that asks."""
UNKNOWN_SHOWN = 1_000
"""So many names that nothing here has are listed."""


@takes_upload(*(f"mobjects.view_{model._meta.model_name}" for model in RECORD_MODELS.values()))
@require_http_methods(["GET", "POST"])
def named_records_page(request: HttpRequest) -> HttpResponse:
    """Ask which records; say which of them are here; hand them to the page that asks about what is to be done."""
    kind = _asked_kind(request)
    permission = f"mobjects.view_{RECORD_MODELS[kind]._meta.model_name}"
    if not request.user.has_perm(permission):
        return render_denied(request, permission)
    if request.method == "GET":
        return _show(request, kind, NamedRecordsForm({"kind": kind.value}), status=200)
    if (action := request.POST.get("action", "")) in _allowed(request, kind):
        chosen = ChosenRecordsForm(request.POST)
        return ACTIONS[action][2](request, kind, chosen.cleaned_data["ids"] if chosen.is_valid() else ())
    form = NamedRecordsForm(request.POST, request.FILES)
    return _show(request, kind, form, status=200 if form.is_valid() else 400)


def _asked_kind(request: HttpRequest) -> Kind:
    asked = (request.POST if request.method == "POST" else request.GET).get("kind")
    return Kind(asked) if asked in tuple(Kind) else Kind.OPPORTUNITY


def _allowed(request: HttpRequest, kind: Kind) -> dict[str, object]:
    """What the person may do with records of a kind, with its words. Marketo's API deletes no programs."""
    return {
        action: words
        for action, (permission, words, _page) in ACTIONS.items()
        if request.user.has_perm(permission) and not (action == "delete" and kind is Kind.PROGRAM)
    }


def _show(request: HttpRequest, kind: Kind, form: NamedRecordsForm, *, status: int) -> HttpResponse:
    asked = request.method == "POST"
    found = form.cleaned_data.get("found") if asked and form.is_valid() else None
    return render_page(
        request,
        "marketo/named_records.html",
        gettext("Choose by a list"),
        status=status,
        form=form,
        errors=asked and status != 200,
        kind=kind,
        kinds=[(each, str(RECORD_MODELS[each]._meta.verbose_name_plural).capitalize()) for each in RECORD_MODELS],
        plural=str(KIND_WORDS[kind]),
        found=found,
        what=selected_text(kind, len(found.ids)) if found else "",
        ids=join_ids(found.ids) if found else "",
        shown=found.unknown[:UNKNOWN_SHOWN] if found else (),
        not_shown=max(0, len(found.unknown) - UNKNOWN_SHOWN) if found else 0,
        actions=_allowed(request, kind).items(),
        cancel=list_url(kind),
    )
