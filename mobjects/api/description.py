"""The page that says what the API can do, made from its description; and the description itself, for programs.

It is a page of this site, not one of the usual viewers: those are scripts that nobody who reads by ear can use, and
they would be the only ones here that style themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects.api.service import service
from mobjects.views.base import render_page

_METHODS = ("get", "post", "patch", "put", "delete")


@dataclass(frozen=True, slots=True)
class DescribedField:
    """A parameter, or a field of a body: where it stands, its form, whether it is needed, what it means."""

    name: str
    place: str
    form: str
    required: bool
    words: str


@dataclass(frozen=True, slots=True)
class DescribedOperation:
    """What can be asked of an address: by which method, with what, and which answers there are."""

    method: str
    path: str
    summary: str
    words: str
    inputs: list[DescribedField]
    outputs: list[DescribedField]
    answers: list[tuple[str, str]]


@dataclass(slots=True)
class DescribedGroup:
    """Operations that belong together."""

    name: str
    operations: list[DescribedOperation] = field(default_factory=list)


@require_GET
def description_page(request: HttpRequest) -> HttpResponse:
    """All addresses of the API, with what each takes and gives."""
    schema = service.get_openapi_schema()
    return render_page(
        request,
        "api/description.html",
        _("What the API can do"),
        groups=describe_groups(schema),
        root=request.build_absolute_uri("/api/v1/"),
    )


@require_GET
def schema_file(request: HttpRequest) -> HttpResponse:
    """The description as OpenAPI, for programs that make clients of it."""
    return JsonResponse(service.get_openapi_schema())


def describe_groups(schema: Mapping[str, Any]) -> list[DescribedGroup]:
    """The operations of a description, group by group."""
    groups: dict[str, DescribedGroup] = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if method in _METHODS:
                name = (operation.get("tags") or [""])[0]
                group = groups.setdefault(name, DescribedGroup(name))
                group.operations.append(_describe_operation(schema, path, method, operation))
    return list(groups.values())


def _describe_operation(
    schema: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> DescribedOperation:
    inputs = [
        DescribedField(
            each["name"],
            each["in"],
            _form(schema, each["schema"]),
            bool(each.get("required")),
            each.get("description") or each["schema"].get("description", ""),
        )
        for each in operation.get("parameters", ())
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        inputs += _body_fields(schema, content["schema"], "body")
    outputs: list[DescribedField] = []
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json")
        if content and int(status) < 400:
            outputs += _body_fields(schema, content["schema"], "answer")
    answers = sorted((str(status), answer["description"]) for status, answer in operation["responses"].items())
    words = operation.get("description", "")
    return DescribedOperation(method.upper(), path, operation.get("summary", ""), words, inputs, outputs, answers)


def _body_fields(schema: Mapping[str, Any], body: Mapping[str, Any], place: str) -> Iterator[DescribedField]:
    found = _resolve(schema, body)
    for name, each in found.get("properties", {}).items():
        needed = name in found.get("required", ())
        yield DescribedField(name, place, _form(schema, each), needed, each.get("description", ""))


def _resolve(schema: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    name = body.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = schema["components"]["schemas"][name] if name else body
    return found


def _form(schema: Mapping[str, Any], each: Mapping[str, Any]) -> str:
    """The form of a value in a few words."""
    if "$ref" in each:
        found = _resolve(schema, each)
        values = found.get("enum")
        return ", ".join(map(str, values)) if values else found.get("title", "object")
    for several in ("anyOf", "allOf", "oneOf"):
        if several in each:
            return " | ".join(_form(schema, one) for one in each[several])
    if each.get("type") == "array":
        return f"list of {_form(schema, each.get('items', {}))}"
    if "enum" in each:
        return ", ".join(map(str, each["enum"]))
    return str(each.get("format") or each.get("type") or "any")
