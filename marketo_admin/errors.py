"""What people see when a request cannot be read: the reason, and what to do instead."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

INSTEAD = "Nothing was saved. Go back and change or select fewer rows at a time; for very many, use an import."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for status 400; its words depend on what was wrong."""
    if isinstance(exception, TooManyFieldsSent):
        heading = f"This form has more than {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} fields"
        words = f"The site reads so many at a time. {INSTEAD}"
    elif isinstance(exception, RequestDataTooBig):
        heading = f"This form has more than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1_000_000:.3g} MB of text"
        words = f"The site reads so much at a time. {INSTEAD}"
    else:
        heading = "The request could not be read"
        words = "It came incomplete or damaged. Nothing was saved. Try it again."
    return render(request, "400.html", {"heading": heading, "words": words}, status=400)
