"""Lists as somebody narrowed them, kept under a name: the saving, the deleting, and what a list shows of them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mobjects.models import OpeningView, SavedView
from mobjects.views.base import press_only
from mobjects.views.keyset import VIEW
from mobjects.views.lists.chips import OF_A_PAGE, without

PAGES = {
    "jobs": ("admin:mobjects_syncjob_changelist", "mobjects.view_syncjob"),
    "results": ("admin:mobjects_syncresult_changelist", "mobjects.view_syncresult"),
    "programs": ("admin:mobjects_program_changelist", "mobjects.view_program"),
    "opportunities": ("admin:mobjects_opportunity_changelist", "mobjects.view_opportunity"),
    "roles": ("admin:mobjects_opportunitypersonrole_changelist", "mobjects.view_opportunitypersonrole"),
    "imports": ("admin:mobjects_import_changelist", "mobjects.view_import"),
}
"""The lists that have saved views: address, and the permission to see them."""
SHARE = "mobjects.share_view"
MOST_CHARACTERS = 2000
"""Of a query. Browsers and proxies carry so much."""
_NOT_KEPT = OF_A_PAGE | {VIEW}


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A name, the query, and whether everybody is to see it."""

    class Meta:
        model = SavedView
        fields = ("name", "query", "is_shared")
        labels = {"is_shared": gettext_lazy("for everybody")}  # noqa: RUF012  # as Django declares it

    query = forms.CharField(required=False, max_length=MOST_CHARACTERS)

    def clean_query(self) -> str:
        """Without the page: a view is a list, not a place in it."""
        pairs = parse_qsl(self.cleaned_data["query"], keep_blank_values=True)
        return urlencode([(name, value) for name, value in pairs if name not in _NOT_KEPT])


def shown_views(request: HttpRequest, page: str) -> dict[str, Any]:
    """What a list shows of its saved views; for templates/mobjects/_saved_views.html.

    Args:
        page: one of :data:`PAGES`.
    """
    address = reverse(PAGES[page][0])
    here = without(request.GET, *_NOT_KEPT)
    may_share = request.user.has_perm(SHARE)
    opening = OpeningView.objects.filter(user=request.user.pk, page=page).values_list("view", flat=True).first()
    views = [
        {
            "view": view,
            "address": f"{address}?{view.query}" if view.query else address,
            "is_current": _is_of(view, here) or (not here and request.GET.get(VIEW) == str(view.pk)),
            "is_opening": view.pk == opening,
            "may_delete": may_share if view.is_shared else view.user_id == request.user.pk,
        }
        for view in _seen_by(request, page)
    ]
    return {"views": views, "page": page, "query": here.urlencode(), "may_share": may_share}


def refuse_view(request: HttpRequest, page: str, reason: str) -> HttpResponse | None:
    """Lead from a saved view that makes no sense any more to the whole list, where it can be deleted; ``None`` if the
    address is no view's.

    Args:
        page: one of :data:`PAGES`.
        reason: what the list has not, in words.
    """
    here = without(request.GET, *_NOT_KEPT)
    view = next((each for each in _seen_by(request, page) if _is_of(each, here)), None)
    if view is None:
        return None
    said = _(
        "The view “%(name)s” makes no sense any more: %(reason)s All records are shown; delete it, or save another."
    )
    messages.warning(request, said % {"name": view.name, "reason": reason})
    return redirect(f"{reverse(PAGES[page][0])}?{VIEW}={view.pk}")


def _is_of(view: SavedView, here: QueryDict) -> bool:
    """Whether an address asks for a view's list."""
    return bool(view.query) and QueryDict(view.query) == here


def default_query(request: HttpRequest, page: str) -> str:
    """The query that a person opens a list with; "" if none was chosen."""
    found = _seen_by(request, page).filter(
        pk__in=OpeningView.objects.filter(user=request.user.pk, page=page).values("view")
    )
    return found.values_list("query", flat=True).first() or ""


def _back(page: str, *_args: object, **_kwargs: object) -> str:
    if page not in PAGES:
        raise Http404
    return reverse(PAGES[page][0])


@press_only(_back)
def save_view(request: HttpRequest, page: str) -> HttpResponse:
    """Keep a list under a name. A view of the same name is replaced: one's own, or the shared one."""
    address = _back(page)
    if not request.user.has_perm(PAGES[page][1]):
        raise Http404
    form = SavedViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The view was not saved: give it a name of at most 80 characters."))
        return redirect(address)
    name, query = form.cleaned_data["name"], form.cleaned_data["query"]
    shared = form.cleaned_data["is_shared"] and request.user.has_perm(SHARE)
    same: dict[str, Any] = {"page": page, "name": name, "is_shared": shared}
    if not shared:
        same["user"] = request.user
    values = {"query": query, "user": request.user, "username": request.user.get_username()}
    try:
        with transaction.atomic():
            SavedView.objects.update_or_create(values, **same)
    except IntegrityError:  # Two presses at once; the first has saved it.
        pass
    messages.success(request, _("The view “%(name)s” is saved.") % {"name": name})
    return redirect(f"{address}?{query}" if query else address)


@press_only(_back)
def delete_view(request: HttpRequest, page: str, pk: int) -> HttpResponse:
    """Forget a view: one's own, or, with the permission to share, a shared one."""
    view = get_object_or_404(_seen_by(request, page), pk=pk)
    if view.is_shared and not request.user.has_perm(SHARE):
        raise Http404
    view.delete()
    messages.success(request, _("The view “%(name)s” is deleted.") % {"name": view.name})
    return redirect(_back(page))


@press_only(_back)
def open_with_view(request: HttpRequest, page: str, pk: int) -> HttpResponse:
    """Open a list with a view from now on, each person for themselves; or, if it does so already, no longer."""
    view = get_object_or_404(_seen_by(request, page), pk=pk)
    address = f"{_back(page)}?{view.query}"
    if OpeningView.objects.filter(user=request.user.pk, page=page, view=view).delete()[0]:
        messages.success(request, _("The list opens with all records again."))
        return redirect(address)
    OpeningView.objects.update_or_create({"view": view}, user=request.user, page=page)
    messages.success(request, _("The list opens with the view “%(name)s” from now on.") % {"name": view.name})
    return redirect(address)


def _seen_by(request: HttpRequest, page: str) -> Any:
    mine = Q(user=request.user.pk, is_shared=False)
    return SavedView.objects.filter(mine | Q(is_shared=True), page=page).order_by("is_shared", "name", "pk")
