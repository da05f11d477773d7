"""What is done in Marketo only where a person has allowed it: the buttons on Connection."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from mobjects.audit.events import record_event
from mobjects.instance_facts import set_confirmation
from mobjects.models import EventKind
from mobjects.sync.transport_factory import list_confirmations, target
from mobjects.views.base import press_only, require_permission


@press_only("mobjects:connection")
@require_permission("mobjects.reset_circuit")
def confirmation_set(request: HttpRequest) -> HttpResponse:
    """Allow what was posted as ``name``, or with ``allowed=no`` allow it no longer."""
    name, allowed = request.POST.get("name", ""), request.POST.get("allowed") == "yes"
    found = next((each for each in list_confirmations() if each.name == name), None)
    if found is None:
        messages.error(
            request,
            _("Nothing was changed: there is nothing to allow that is called “%(name)s”.") % {"name": name[:50]},
        )
    else:
        set_confirmation(target(), found, by=request.user.get_username(), allowed=allowed)
        record_event(EventKind.ALLOWED if allowed else EventKind.DISALLOWED, words=name)
        messages.success(request, _("It is allowed now.") if allowed else _("It is not allowed any more."))
    return redirect("mobjects:connection" if request.user.has_perm("mobjects.test_connection") else "admin:index")
