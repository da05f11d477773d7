"""What people see when a request cannot be read or is not accepted: the reason, and what to do instead."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.api.middleware import is_api
from mobjects.api.problems import Problem
from mobjects.audit.trace import trace_of_now
from mobjects.filters.conditions import FilterRefused
from mobjects.views.lists.chips import ALL

INSTEAD = _("Nothing was saved. Go back and change or select fewer rows at a time; for very many, use an import.")


def _problem(status: int, *sentences: object) -> HttpResponse:
    """What the API answers in the place of a page."""
    return Problem(status, " ".join(str(each) for each in sentences)).to_response()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for status 400; its words depend on what was wrong."""
    if isinstance(exception, TooManyFieldsSent):
        heading = gettext("This form has more than %(count)s fields") % {
            "count": f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,}"
        }
        words = gettext("The site reads so many at a time. %(instead)s") % {"instead": INSTEAD}
    elif isinstance(exception, RequestDataTooBig):
        heading = gettext("This form has more than %(megabytes)s MB of text") % {
            "megabytes": f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1000000:.3g}"
        }
        words = gettext("The site reads so much at a time. %(instead)s") % {"instead": INSTEAD}
    elif isinstance(exception, DisallowedHost):
        # The name is not repeated: whoever sent it may have made it up.
        heading = gettext("The site has no such name")
        words = gettext(
            "It does not answer under the name in the address that you opened. Nothing was saved. If the name is "
            "its own, whoever runs the site adds it to DJANGO_ALLOWED_HOSTS."
        )
    else:
        heading = gettext("The request could not be read")
        words = gettext("It came incomplete or damaged. Nothing was saved. Try it again.")
    if isinstance(exception, FilterRefused):
        return _in_frame(request, "400.html", gettext("There is no such filter"), str(exception), 400, f"?{ALL}")
    if is_api(request):
        return _problem(400, f"{heading}.", words)
    return render(request, "400.html", {"heading": heading, "words": words}, status=400)


def body_refused(request: HttpRequest, reason: str, *, status: int) -> HttpResponse:
    """The page for what was sent and not read.

    Args:
        reason: a sentence.
        status: HTTP status.
    """
    heading = gettext("What you sent was not read")
    if is_api(request):
        return _problem(status, f"{heading}.", reason)
    return render(request, "400.html", {"heading": heading, "words": f"{reason} {INSTEAD}"}, status=status)


def query_refused(request: HttpRequest, words: str) -> HttpResponse:
    """The page for an address that asks for something in a way that is not offered."""
    heading = gettext("There is no such filter")
    if is_api(request):
        return _problem(400, f"{heading}.", words)
    return render(request, "400.html", {"heading": heading, "words": words}, status=400)


def page_missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for status 404."""
    said = gettext(
        "The address is wrong, or what it showed is gone. The sync history still shows records that were deleted."
    )
    return _in_frame(request, "404.html", gettext("There is no such page"), said, 404)


def page_broken(request: HttpRequest) -> HttpResponse:
    """The page for status 500: nothing of it asks the database or the session, which may be what is broken."""
    if is_api(request):
        return _problem(500, f"{gettext('Something went wrong here')}.")
    words = {"request_id": trace_of_now().get("request_id", "")}
    return HttpResponse(loader.render_to_string("500.html", words), status=500)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for status 403."""
    said = gettext("Ask an administrator to put you into a group that may. The sync history can be changed by nobody.")
    if getattr(request, "user", None) is not None and request.user.is_authenticated:
        said = gettext("You are logged in as %(name)s.") % {"name": request.user.get_username()} + " " + said
    return _in_frame(request, "403.html", gettext("You are not allowed to do this"), said, 403)


def _in_frame(request: HttpRequest, plain: str, heading: str, words: str, status: int, whole: str = "") -> HttpResponse:
    """A page of few words: for staff with the site's menu around it, for others, or without a database, by itself.

    Args:
        plain: the template that needs nothing.
        whole: the query of the same page without what was refused; "" if there is none.
    """
    if is_api(request):
        return _problem(status, f"{heading}.", words)
    context = {"heading": heading, "words": words, "whole": whole}
    try:
        if hasattr(request, "user") and admin.site.has_permission(request):
            request.current_app = admin.site.name  # The header of the theme reads it.
            frame = {**admin.site.each_context(request), "title": heading, **context}
            return TemplateResponse(request, "mobjects/error.html", frame, status=status).render()
    except Error:
        pass
    return render(request, plain, context, status=status)


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form that does not prove that it comes from here.

    Args:
        reason: Django's words; they begin with Origin or Referer where the address is what is wrong.
    """
    elsewhere = request.headers.get("Origin", "") if reason.startswith(("Origin", "Referer")) else ""
    here = f"{request.scheme}://{request.get_host()}"
    return render(request, "403_csrf.html", {"elsewhere": elsewhere, "here": here}, status=403)
