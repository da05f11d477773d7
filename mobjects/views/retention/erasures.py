"""Erasing a person: what would be changed, then doing it."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from mobjects.forms.sync import reason_field
from mobjects.models import Erasure, SyncJobSource
from mobjects.retention.erasure import service
from mobjects.views.base import paginate_rows, render_page, require_permission

PER_PAGE = 50


class ErasureForm(forms.Form):
    """Who, and why."""

    person = forms.CharField(
        label=gettext_lazy("Person key or ID"),
        min_length=service.SHORTEST,
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "mo-input"}),
    )
    reason = reason_field()


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.erase_person")
def erasure_page(request: HttpRequest) -> HttpResponse:
    """Ask who; say where the person lies; on the second press, have it erased. The person is in no address."""
    form = ErasureForm(request.POST or None)
    found = None
    if form.is_valid():
        given = form.cleaned_data
        if "erase" in request.POST:
            service.request_erasure(
                given["person"],
                source=SyncJobSource.ADMIN,
                username=request.user.get_username(),
                reason=given["reason"],
            )
            messages.success(request, _("The erasure was asked for. A worker does it."))
            return redirect("mobjects:erase-person")
        found = service.preview_erasure(given["person"])
    return render_page(
        request,
        "retention/erase.html",
        _("Erase a person"),
        crumbs=((_("Retention"), reverse("mobjects:retention")),),
        status=400 if form.errors else 200,
        form=form,
        found=found,
        rows=paginate_rows(request, Erasure.objects.order_by("-pk"), PER_PAGE),
    )
