"""Errors as problem details (RFC 9457): what is wrong, with which field, and what would be right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from ninja import Schema
from pydantic import Field

CONTENT_TYPE = "application/problem+json"


class FieldProblemOut(Schema):
    """One thing that is wrong with what was sent."""

    pointer: str = Field(description="Where it stands, as a JSON pointer; in the query, the parameter's name.")
    value: Any = Field(None, description="What was sent there.")
    detail: str = Field(description="What is wrong, and what would be right.")


class ProblemOut(Schema):
    """What went wrong."""

    type: str = Field("about:blank", description="Always about:blank: the status says which kind of problem it is.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What went wrong, for people.")
    errors: list[FieldProblemOut] = Field([], description="What is wrong with which field.")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing that is wrong with what was sent; fields as of :class:`FieldProblemOut`."""

    pointer: str
    detail: str
    value: Any = None


class Problem(Exception):
    """What cannot be done; becomes an answer.

    Args:
        status: of HTTP.
        detail: a sentence.
        errors: field by field.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, tuple(errors), dict(headers or {})

    def to_response(self) -> HttpResponse:
        """The answer."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": [{"pointer": e.pointer, "value": e.value, "detail": e.detail} for e in self.errors],
        }
        text = json.dumps(body, ensure_ascii=False, default=str)
        return HttpResponse(text, status=self.status, content_type=CONTENT_TYPE, headers=self.headers)
