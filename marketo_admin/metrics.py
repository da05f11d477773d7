"""``/metrics`` for Prometheus, for who knows the token; and how long pages take, where a folder is set."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, Histogram, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from mobjects.operations.metrics import SiteCollector

PATH = "/metrics"
METHODS = ("GET", "HEAD", "POST")
"""Whatever else a client sends as its method is one kind: it must not make as many metrics as it likes."""
HTTP_NAME = "marketo_admin_http_seconds"
HTTP_SECONDS = Histogram(
    HTTP_NAME,
    "Seconds until a page began to be sent",
    ("method", "status"),
    registry=None,
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class MetricsMiddleware:
    """Answers ``/metrics`` under any host name: Prometheus asks by address. Without a token there is no such page."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == PATH and settings.METRICS_TOKEN:
            return _answer_metrics(request)
        began = time.perf_counter()
        response = self._get_response(request)
        if settings.METRICS_FOLDER:
            method = request.method if request.method in METHODS else "other"
            HTTP_SECONDS.labels(method, response.status_code).observe(time.perf_counter() - began)
        return response


class PageTimes(Collector):
    """What all web processes of this host counted together.

    Args:
        folder: where they count; libraries of ours (django-rq) count there, too, what we do not tell.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """What the client library asks for each time the page is read."""
        kept = MultiProcessCollector(None, self._folder)  # type: ignore[no-untyped-call]  # no types there
        return (each for each in kept.collect() if each.name == HTTP_NAME)  # type: ignore[no-untyped-call]


def _answer_metrics(request: HttpRequest) -> HttpResponse:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        refusal = HttpResponse("Send Authorization: Bearer and METRICS_TOKEN.\n", status=401, content_type="text/plain")
        refusal["WWW-Authenticate"] = "Bearer"
        return refusal
    registry = CollectorRegistry()
    registry.register(SiteCollector())
    if settings.METRICS_FOLDER:
        registry.register(PageTimes(settings.METRICS_FOLDER))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    response = HttpResponse(encode(registry), content_type=content_type)
    response["Cache-Control"] = "no-store"
    return response
