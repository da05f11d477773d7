"""Webhooks of notices, and the log of what was delivered to whom."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from mobjects.audit.events import record_event
from mobjects.forms.notices import WebhookForm
from mobjects.models import DeliveryState, EventKind, NoticeDelivery, NoticeWebhook, PurgeKind
from mobjects.notices.channels.webhook import make_secret, seal_text
from mobjects.notices.deliveries import NOTICE_WORK, send_again
from mobjects.notices.wording import describe_delivery
from mobjects.presentation.badges import render_badge
from mobjects.presentation.event_text import purged_text
from mobjects.views.base import paginate_rows, press_only, render_page, require_permission, signed_in
from mobjects.views.notices.inbox import MANAGE, PER_PAGE

TONES = {DeliveryState.WAITING: "info", DeliveryState.SENT: "success", DeliveryState.FAILED: "danger"}


@require_GET
@require_permission(MANAGE)
def deliveries_page(request: HttpRequest) -> HttpResponse:
    """What went out by e-mail and webhook, the newest first, and the webhooks."""
    found = NoticeDelivery.objects.exclude(channel="inbox").select_related("notice", "webhook", "user")
    state, channel = request.GET.get("state", ""), request.GET.get("channel", "")
    if state in DeliveryState.values:
        found = found.filter(state=state)
    if channel in ("email", "webhook"):
        found = found.filter(channel=channel)
    rows = paginate_rows(request, found.order_by("-pk"), PER_PAGE)
    return render_page(
        request,
        "notices/deliveries.html",
        _("Deliveries of notices"),
        crumbs=_above(),
        rows=rows,
        entries=[(row, describe_delivery(row), _badge(row)) for row in rows],
        hooks=NoticeWebhook.objects.order_by("name"),
        states=DeliveryState.choices,
        asked={"state": state, "channel": channel},
        purged=purged_text(PurgeKind.INBOX),
    )


@require_http_methods(["GET", "POST"])
@require_permission(MANAGE)
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Make a webhook; its signing secret is shown once."""
    return _webhook_page(request, None)


@require_http_methods(["GET", "POST"])
@require_permission(MANAGE)
def webhook_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a webhook, or give it a new signing secret."""
    return _webhook_page(request, get_object_or_404(NoticeWebhook, pk=_id(pk)))


@press_only("mobjects:webhook")
@require_permission(MANAGE)
def webhook_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a webhook, with what the log says of it."""
    hook = get_object_or_404(NoticeWebhook, pk=_id(pk))
    with transaction.atomic():
        record_event(EventKind.DELETED, on=hook, user=request.user)
        hook.delete()
    messages.success(request, _("The webhook “%(name)s” was deleted.") % {"name": hook.name})
    return redirect("mobjects:notice-deliveries")


@press_only("mobjects:webhook")
@require_permission(MANAGE)
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test to a webhook; the log shows what came of it."""
    hook = get_object_or_404(NoticeWebhook, pk=_id(pk))
    with transaction.atomic():
        made = NoticeDelivery.objects.create(channel="webhook", webhook=hook, is_test=True)
        record_event(EventKind.NOTICE_SENT, on=hook, user=request.user, detail={"what": "test"})
        NOTICE_WORK.enqueue_after_commit(made.pk)
    messages.success(request, _("A test is on its way to “%(name)s”.") % {"name": hook.name})
    return redirect("mobjects:notice-deliveries")


@press_only(lambda pk: "mobjects:notice-deliveries")
@require_permission(MANAGE)
def delivery_resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a delivery that has ended sent once more."""
    delivery = get_object_or_404(NoticeDelivery.objects.exclude(channel="inbox"), pk=_id(pk))
    with transaction.atomic():
        sent = send_again(delivery.pk)
        if sent:
            record_event(EventKind.NOTICE_SENT, on=delivery, user=request.user, detail={"what": "again"})
    if sent:
        messages.success(request, _("It is sent once more."))
    else:
        messages.info(request, _("It is on its way already."))
    return redirect("mobjects:notice-deliveries")


def _webhook_page(request: HttpRequest, hook: NoticeWebhook | None) -> HttpResponse:
    form = WebhookForm(hook, request.POST if request.method == "POST" else None)
    secret = ""
    if form.is_valid():
        made = hook is None
        hook, secret = _save(request, hook, form.cleaned_data)
        if not secret:
            messages.success(request, _("The webhook “%(name)s” was saved.") % {"name": hook.name})
            return redirect("mobjects:notice-deliveries")
        form = WebhookForm(hook)
        said = _("The webhook “%(name)s” was made.") if made else _("The webhook “%(name)s” has a new secret.")
        messages.success(request, said % {"name": hook.name})
    return render_page(
        request,
        "notices/webhook.html",
        _("Webhook “%(name)s”") % {"name": hook.name} if hook else _("New webhook"),
        crumbs=(*_above(), (_("Deliveries of notices"), reverse("mobjects:notice-deliveries"))),
        status=400 if form.errors else 200,
        form=form,
        hook=hook,
        secret=secret,
    )


def _save(request: HttpRequest, hook: NoticeWebhook | None, given: dict[str, Any]) -> tuple[NoticeWebhook, str]:
    """Keep what was given. The webhook, and its signing secret if it has a new one."""
    kind = EventKind.CHANGED if hook else EventKind.ADDED
    secret = make_secret() if hook is None or given["new_secret"] else ""
    kept = hook or NoticeWebhook(created_by=signed_in(request).get_username())
    for name in ("name", "shape", "language", "events", "enabled"):
        setattr(kept, name, given[name])
    if given["url"]:
        kept.sealed_url, kept.host = seal_text(given["url"]), given["host"]
    if secret:
        kept.sealed_secret = seal_text(secret)
    changed = [name for name in ("url", "new_secret") if given[name]]
    with transaction.atomic():
        kept.save()
        detail = {"of": kept.host, "format": kept.shape, "scopes": kept.events, "changes": changed}
        record_event(kind, on=kept, user=request.user, detail=detail)
    return kept, secret


def _above() -> tuple[tuple[str, str], ...]:
    return ((_("Notices"), reverse("mobjects:notices")),)


def _badge(delivery: NoticeDelivery) -> Any:
    return render_badge(delivery.get_state_display(), TONES[DeliveryState(delivery.state)])


def _id(pk: int) -> int:
    return pk if pk < 2**63 else 0
