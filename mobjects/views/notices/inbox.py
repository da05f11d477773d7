"""A person's own inbox, and what they want to hear of."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from mobjects.forms.notices import ChoiceForm
from mobjects.models import NoticeDelivery, NoticeEvent, PurgeKind
from mobjects.notices.choices import save_choice
from mobjects.notices.notice_settings import has_email
from mobjects.notices.wording import describe_delivery
from mobjects.presentation.event_text import purged_text
from mobjects.selectors import id_in
from mobjects.views.base import paginate_rows, press_only, render_page, signed_in

PER_PAGE = 50
MANAGE = "mobjects.manage_notices"


@require_GET
def inbox_page(request: HttpRequest) -> HttpResponse:
    """The notices of whoever asks, the newest first."""
    person = signed_in(request)
    asked = {"event": request.GET.get("event", ""), "unread": request.GET.get("unread", "")}
    rows = paginate_rows(request, _narrowed(_own(person), asked), PER_PAGE)
    return render_page(
        request,
        "notices/inbox.html",
        _("Notices"),
        rows=rows,
        entries=[(row, describe_delivery(row)) for row in rows],
        newest=rows[0].pk if rows else 0,
        unread=_own(person).filter(read_at=None).count(),
        asked=asked,
        events=NoticeEvent.choices,
        manages=person.has_perm(MANAGE),
        is_narrowed=any(asked.values()),
        purged=purged_text(PurgeKind.INBOX),
    )


@press_only("mobjects:notices")
def notices_read(request: HttpRequest) -> HttpResponse:
    """Mark one notice of the inbox as read, or all that the page could show."""
    unread = _own(signed_in(request)).filter(read_at=None)
    if "pk" in request.POST:
        unread = unread.filter(pk=id_in(request.POST["pk"]) or 0)
    else:
        # What came since the page was shown stays unread.
        unread = unread.filter(pk__lte=id_in(request.POST.get("newest")) or 0)
    count = unread.update(read_at=timezone.now())
    said = ngettext("%(count)s notice was marked as read.", "%(count)s notices were marked as read.", count)
    messages.success(request, said % {"count": count})
    return redirect("mobjects:notices")


@require_http_methods(["GET", "POST"])
def notice_settings_page(request: HttpRequest) -> HttpResponse:
    """What a person wants to hear of, and how."""
    person = signed_in(request)
    form = ChoiceForm(person, request.POST if request.method == "POST" else None)
    if form.is_valid():
        save_choice(person, form.cleaned_data["inbox"], form.cleaned_data["email"])
        messages.success(request, _("Your choice of notices was saved."))
        return redirect("mobjects:notice-settings")
    return render_page(
        request,
        "notices/settings.html",
        _("Notice settings"),
        crumbs=((_("Notices"), reverse("mobjects:notices")),),
        status=400 if form.errors else 200,
        form=form,
        sends_email=has_email(),
        address=person.email,
        manages=person.has_perm(MANAGE),
    )


def _own(person: User) -> QuerySet[NoticeDelivery]:
    return NoticeDelivery.objects.filter(channel="inbox", user=person)


def _narrowed(found: QuerySet[NoticeDelivery], asked: dict[str, str]) -> QuerySet[NoticeDelivery]:
    if asked["event"] in NoticeEvent.values:
        found = found.filter(notice__event=asked["event"])
    if asked["unread"]:
        found = found.filter(read_at=None)
    return found.select_related("notice").order_by("-pk")
