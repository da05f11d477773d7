"""The addresses of records: for each kind a list, one of them, a new one, a change."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router

from mobjects.api.answers import describe_answers, require_right
from mobjects.api.paging import Id, next_address, read_page
from mobjects.api.records.kinds import KINDS, RecordKind
from mobjects.api.records.reading import RecordQuery, find_record, find_records, show_record

router = Router(tags=["records"])


def _add_reading(kind: RecordKind) -> None:
    """The addresses that read records of a kind."""

    @router.get(
        f"/{kind.name}",
        response=describe_answers(kind.listed),
        url_name=f"{kind.name}-list",
        operation_id=f"list_{kind.name}",
        summary=f"List {kind.name}",
    )
    def list_kind(request: HttpRequest, query: Query[RecordQuery]) -> Any:
        require_right(request, kind.permission("view"))
        found, after = read_page(find_records(kind, query), query)
        return {"items": [show_record(kind, each) for each in found], "next": next_address(request, after)}

    @router.get(
        f"/{kind.name}/{{pk}}",
        response=describe_answers(kind.out, 404),
        url_name=f"{kind.name}-one",
        operation_id=f"read_{kind.name}",
        summary=f"Read one of the {kind.name}",
    )
    def read_kind(request: HttpRequest, response: HttpResponse, pk: Path[Id]) -> Any:
        require_right(request, kind.permission("view"))
        shown = show_record(kind, find_record(kind, pk))
        response["ETag"] = shown["etag"]
        return shown


for _kind in KINDS:
    _add_reading(_kind)
