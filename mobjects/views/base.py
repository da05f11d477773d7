"""What all these pages share: the admin's frame, a permission, and links back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mobjects.audit.events import record_event
from mobjects.models import RECORD_MODELS, EventKind, Kind
from mobjects.permissions import value_rights
from mobjects.resources import RESOURCES

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
AnyView = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

Crumb = tuple[str, str]
"""A link back: words and address."""

NOT_PRESSED = gettext_lazy(
    "Nothing was done: that takes a press of its button. Press it here if it is still to be done."
)

PERMISSION_WORDS: dict[str, StrOrPromise] = {
    "mobjects.sync_records": gettext_lazy("send records to Marketo"),
    "mobjects.pull_records": gettext_lazy("read records, fields and tags from Marketo"),
    "mobjects.reset_circuit": gettext_lazy("let sending go on after it was halted"),
    "mobjects.decide_conflict": gettext_lazy("decide about records"),
    "mobjects.view_conflict": gettext_lazy("see what there is to decide"),
    "mobjects.delete_in_marketo": gettext_lazy("delete records in Marketo"),
    "mobjects.test_connection": gettext_lazy("see and test the connection"),
    "mobjects.view_payload": gettext_lazy("see requests and answers"),
    "mobjects.view_queue": gettext_lazy("see the queue"),
    "mobjects.view_syncjob": gettext_lazy("see the sync history"),
    "mobjects.view_syncbatch": gettext_lazy("see batches"),
    "mobjects.view_syncresult": gettext_lazy("see the sync history of records"),
    "mobjects.view_import": gettext_lazy("see imports"),
    "mobjects.view_download": gettext_lazy("see downloads"),
    "mobjects.view_purge": gettext_lazy("see what is kept for how long"),
    "mobjects.erase_person": gettext_lazy("erase a person"),
    "mobjects.run_purge": gettext_lazy("purge what is older than its period"),
    "mobjects.import_records": gettext_lazy("import files"),
    "mobjects.view_approval": gettext_lazy("see what waits for approval"),
    "mobjects.approve_work": gettext_lazy("approve work that a rule holds"),
    "mobjects.manage_notices": gettext_lazy("manage webhooks of notices and see all deliveries"),
    "mobjects.view_auditevent": gettext_lazy("see who did what"),
}
PERMISSION_WORDS |= {
    f"mobjects.{action}_{options.model_name}": f"{said} {options.verbose_name_plural}"
    for options in (resource._meta.model._meta for resource in RESOURCES.values())
    for action, said in (("view", "see"), ("change", "change"), ("import", "import"), ("export", "export"))
}


def may_see_kind(request: HttpRequest, kind: str) -> bool:
    """Whether the values of records of a kind may be shown; a job's history is another right.

    Args:
        kind: Marketo's name of it.
    """
    return not missing_right(request, kind)


def missing_right(request: HttpRequest, kind: str) -> str:
    """The first right that somebody lacks to see values of records of a kind; "" if they lack none.

    Args:
        kind: Marketo's name of it.
    """
    rights = value_rights(RECORD_MODELS[Kind(kind)]._meta.model_name or "")
    return next((right for right in rights if not request.user.has_perm(right)), "")


def say_not_done(request: HttpRequest, said: StrOrPromise, on: Model) -> None:
    """Tell a person why what they pressed for is not done as things stand, and keep that they asked.

    Args:
        said: why, in the reader's language.
        on: what it was to be done to, with its state.
    """
    messages.warning(request, said)
    match = request.resolver_match
    detail = {"what": match.url_name if match else "", "why": str(getattr(on, "state", ""))}
    record_event(EventKind.NOT_DONE, on=on, detail=detail)


def render_page(
    request: HttpRequest,
    template: str,
    title: str,
    *,
    crumbs: Sequence[Crumb] = (),
    status: int = 200,
    **context: Any,
) -> TemplateResponse:
    """A page in the admin's frame.

    Args:
        template: below ``templates/mobjects/``; extends ``mobjects/page.html``.
        title: heading and window title.
        crumbs: the pages above this one.
        status: HTTP status.
        context: what the template shows.
    """
    # The header of the admin's theme reads it.
    request.current_app = admin.site.name
    above = ((_("Dashboard"), reverse("admin:index")), *crumbs)
    frame = {**admin.site.each_context(request), "title": title, "crumbs": above}
    return TemplateResponse(request, f"mobjects/{template}", {**frame, **context}, status=status)


def require_permission(permission: str) -> Callable[[View[P]], View[P]]:
    """Let only users with a permission see a view; to others it says which one they lack."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.has_perm(permission):
                return render_denied(request, permission)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def press_only(page: str | Callable[..., str]) -> Callable[[AnyView[P]], AnyView[P]]:
    """Let only a pressed button reach a view. Whoever comes by a link, or by the login page that stood in the way of
    the press, is led to the button's page with a sentence.

    Args:
        page: the name of the page's address with the same arguments, or what gives the address for them.
    """

    def decorate(view: AnyView[P]) -> AnyView[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method == "POST":
                return view(request, *args, **kwargs)
            messages.warning(request, NOT_PRESSED)
            return redirect(page(*args, **kwargs) if callable(page) else reverse(page, args=[*args, *kwargs.values()]))

        return guarded

    return decorate


def render_denied(request: HttpRequest, permission: str) -> HttpResponse:
    """The page for somebody who lacks a permission."""
    return render_page(request, "denied.html", _("Not allowed"), status=403, what=PERMISSION_WORDS[permission])


class CountedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Pages of rows whose number is known already."""

    def __init__(self, rows: Any, size: int, count: int) -> None:
        super().__init__(rows, size)
        self.count = count  # In the place of the cached property.


def paginate_rows(
    request: HttpRequest, rows: Any, size: int, parameter: str = "page", *, count: int | None = None
) -> Page[Any]:
    """One page of rows; an impossible page number gives the nearest there is.

    Args:
        rows: a queryset, or anything that has a length and can be cut.
        size: rows on a page.
        parameter: of the address, with the number of the page.
        count: how many rows there are, where that is known.
    """
    pages: Paginator[Any] = Paginator(rows, size) if count is None else CountedPaginator(rows, size, count)
    return pages.get_page(request.GET.get(parameter))


def list_url(kind: str | None) -> str:
    """Where the records of a kind are listed; of no kind, the dashboard."""
    if kind not in tuple(Kind):
        return reverse("admin:index")
    return reverse(f"admin:mobjects_{RECORD_MODELS[Kind(kind)]._meta.model_name}_changelist")


def none_selected(request: HttpRequest, kind: Kind) -> HttpResponse:
    """Lead back to the list: without ids the pages that ask would mean "all"."""
    messages.warning(request, _("No records are selected."))
    return redirect(list_url(kind))


def history_crumb() -> Crumb:
    """The link back to the sync history."""
    return _("Sync history"), reverse("admin:mobjects_syncjob_changelist")


def signed_in(request: HttpRequest) -> User:
    """Who is asking; these pages are reached by nobody else."""
    if not isinstance(request.user, User):
        raise TypeError("the page was reached without signing in")
    return request.user
