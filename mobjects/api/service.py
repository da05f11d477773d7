"""The API as a whole: its addresses, what all of them share, and how errors are answered."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, TooManyFilesSent
from django.db import Error, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.errors import ValidationError as InputError
from ninja.security import HttpBearer

from mobjects.api.imports import endpoints as imports
from mobjects.api.problems import CONTENT_TYPE, FieldProblem, Problem
from mobjects.api.records import endpoints as records
from mobjects.api.sync import jobs, schedules
from mobjects.audit.events import record_event
from mobjects.models import ApiToken, EventKind
from mobjects.resources import RESOURCES
from mobjects.views.imports.base import permission_name
from mobjects.views.uploads import takes_upload

FIRST_ERROR, NOT_NOW = 400, 409

logger = logging.getLogger(__name__)


class BearerToken(HttpBearer):
    """Says in the description how one signs in; :mod:`mobjects.api.middleware` has looked at the token by now."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token that was found to be good."""
        return getattr(request, "api_token", None)


class ApiService(NinjaAPI):
    """As the library's, with what was sent in the errors, and errors described as what they are."""

    def validation_error_from_error_contexts(self, error_contexts: list[Any]) -> InputError:
        """All that is wrong with what was sent, each with its value, which the library leaves out."""
        return InputError(
            [
                {
                    "loc": (context.model.__ninja_param_source__, *_flatten(context.model, each["loc"])),
                    "msg": each["msg"],
                    "input": each["input"],
                }
                for context in error_contexts
                for each in context.pydantic_validation_error.errors(include_url=False)
            ]
        )

    def get_openapi_schema(self, **given: Any) -> Any:
        """The description, in which problems have their own content type."""
        schema = super().get_openapi_schema(**given)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= FIRST_ERROR:
                        answer["content"] = {CONTENT_TYPE: answer["content"]["application/json"]}
        return schema


def _flatten(model: Any, place: Any) -> Any:
    """Where a value was sent; the library reads a query's parameters as those of one object."""
    return model.__ninja_flatten_map_reverse__.get(place, place)


service = ApiService(
    title="Marketo Admin",
    version="1",
    urls_namespace="api",
    openapi_url="/openapi.json",
    docs_url=None,
    auth=BearerToken(),
    description="Records, imports, previews, jobs and schedules, for other programs. Errors are problem details "
    "(RFC 9457). Lists are read on from the key that `next` holds.",
)
service.add_router("", records.router)
service.add_router("", imports.router)
service.add_router("", jobs.router)
service.add_router("", schedules.router)


def api_urls() -> Any:
    """The addresses, for the project's list; files are read where one is sent, and nowhere else."""
    patterns, app, namespace = service.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern) and pattern.name == "imports-list":
            view: Any = pattern.callback
            takes_upload(*(permission_name("import", kind) for kind in RESOURCES))(view)
    return patterns, app, namespace


@service.exception_handler(Problem)
def answer_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """What an address says cannot be done."""
    if problem.status == NOT_NOW and request.method not in ("GET", "HEAD"):
        record_event(EventKind.NOT_DONE, words=f"{request.method} {request.path}", detail={"why": str(NOT_NOW)})
    return problem.to_response()


@service.exception_handler(Http404)
def answer_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    """What is not there, or no more."""
    return Problem(404, _("There is nothing of this kind under this id.")).to_response()


@service.exception_handler(PermissionDenied)
def answer_denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    """What the token may not do."""
    return Problem(403, _("The token may not do this.")).to_response()


@service.exception_handler(InputError)
def answer_input(request: HttpRequest, error: InputError) -> HttpResponse:
    """What is of another shape than the description says."""
    errors = [FieldProblem(_point(each["loc"]), str(each["msg"]), _as_sent(each.get("input"))) for each in error.errors]
    return Problem(422, _("What was sent is not of the form that the description says."), errors).to_response()


@service.exception_handler(HttpError)
def answer_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the library refuses, such as a body that is no JSON."""
    return Problem(error.status_code, str(error)).to_response()


@service.exception_handler(TooManyFilesSent)
def answer_too_many(request: HttpRequest, error: Exception) -> HttpResponse:
    """More files than anybody needs."""
    return Problem(400, _("Too many files were sent at once. Send one.")).to_response()


@service.exception_handler(IntegrityError)
def answer_conflict(request: HttpRequest, error: IntegrityError) -> HttpResponse:
    """What somebody else wrote at the same moment."""
    return Problem(409, _("Somebody else wrote the same at this moment. Read it again.")).to_response()


@service.exception_handler(Error)
def answer_database_error(request: HttpRequest, error: Error) -> HttpResponse:
    """What the database could not do."""
    logger.exception("The API could not answer.")
    return Problem(503, _("The database could not do this now. Try again later.")).to_response()


def _point(place: Any) -> str:
    """Where something stands: in a body as a JSON pointer, elsewhere by name."""
    where, *names = [str(part) for part in place]
    if where == "body" and names:
        return "/" + "/".join(names[1:])
    return names[-1] if names else where


def _as_sent(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
