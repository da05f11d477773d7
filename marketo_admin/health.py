"""Two addresses for load balancers and monitoring: is this process alive, and is it ready to work?"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from mobjects.operations.readiness import OK, Readiness

ALIVE_PATH, READY_PATH = "/healthz", "/readyz"
EXCLUDE = "exclude"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class HealthMiddleware:
    """Answers ``/healthz`` and ``/readyz`` before anything looks at the host name.

    Balancers ask by address, without TLS.

    Open to everyone: it says what is missing in fixed words, and never an address, a name or a secret.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._readiness = Readiness()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == ALIVE_PATH:
            return _never_kept(HttpResponse("ok\n", content_type="text/plain"))
        if request.path_info == READY_PATH:
            return _never_kept(self._answer_ready(request))
        return self._get_response(request)

    def _answer_ready(self, request: HttpRequest) -> HttpResponse:
        excluded, names = request.GET.getlist(EXCLUDE), self._readiness.names
        if set(request.GET) - {EXCLUDE} or not set(excluded) <= set(names):
            words = f"Only {EXCLUDE}=NAME may be asked, where NAME is one of: {', '.join(names)}.\n"
            return HttpResponse(words, status=400, content_type="text/plain")
        found = {name: said for name, said in self._readiness.read().items() if name not in excluded}
        status = 200 if set(found.values()) <= {OK} else 503
        if request.get_preferred_type(["text/plain", "application/json"]) == "application/json":
            return JsonResponse({"ready": status == 200, "checks": found}, status=status)
        lines = [f"{name}: {said}\n" for name, said in found.items()]
        return HttpResponse("".join(lines), status=status, content_type="text/plain")


def _never_kept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
