"""The addresses of records: for each kind a list, one of them, a new one, a change.

Annotations are values here, not texts: the form of a body is that of the kind.
"""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Header, Path, Query, Router, Status

from mobjects.api.answers import describe_answers, require_right
from mobjects.api.paging import Id, next_address, read_page
from mobjects.api.records.kinds import KINDS, RecordKind
from mobjects.api.records.reading import RecordQuery, find_record, find_records, show_record
from mobjects.api.records.writing import change_record, create_record
from mobjects.api.repeats import OnceKey, make_once

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
        found, after = read_page(find_records(kind, query, request.user), query)
        return {
            "items": [show_record(kind, each, request.user) for each in found],
            "next": next_address(request, after),
        }

    @router.get(
        f"/{kind.name}/{{pk}}",
        response=describe_answers(kind.out, 404),
        url_name=f"{kind.name}-one",
        operation_id=f"read_{kind.name}",
        summary=f"Read one of the {kind.name}",
    )
    def read_kind(request: HttpRequest, response: HttpResponse, pk: Path[Id]) -> Any:
        require_right(request, kind.permission("view"))
        shown = show_record(kind, find_record(kind, pk), request.user)
        response["ETag"] = shown["etag"]
        return shown


def _add_writing(kind: RecordKind) -> None:
    """The addresses that write records of a kind."""

    @router.post(
        f"/{kind.name}",
        response=describe_answers(kind.out, 409, status=201),
        url_name=f"{kind.name}-new",
        operation_id=f"create_{kind.name}",
        summary=f"Create {kind.one}",
    )
    def create_kind(
        request: HttpRequest,
        response: HttpResponse,
        sent: Body[kind.creation],  # type: ignore[name-defined]
        idempotency_key: OnceKey = "",
    ) -> Any:
        require_right(request, kind.permission("add"))
        given = sent.model_dump(exclude_unset=True)
        _made, pk = make_once(request, response, idempotency_key, given, lambda: create_record(request, kind, given))
        shown = show_record(kind, find_record(kind, int(pk)), request.user)
        response["ETag"], response["Location"] = shown["etag"], f"{request.path}/{shown['id']}"
        return Status(201, shown)

    @router.patch(
        f"/{kind.name}/{{pk}}",
        response=describe_answers(kind.out, 404, 409, 412, 428),
        url_name=f"{kind.name}-change",
        operation_id=f"change_{kind.name}",
        summary=f"Change {kind.one}: what is not sent stays",
    )
    def change_kind(
        request: HttpRequest,
        response: HttpResponse,
        pk: Path[Id],
        sent: Body[kind.changes],  # type: ignore[name-defined]
        if_match: Annotated[str, Header(alias="If-Match", description="The etag of what was read.")] = "",
    ) -> Any:
        shown = change_record(request, kind, pk, sent.model_dump(exclude_unset=True))
        response["ETag"] = shown["etag"]
        return shown


for _kind in KINDS:
    _add_reading(_kind)
    _add_writing(_kind)
