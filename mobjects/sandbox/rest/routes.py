"""Which call does what, with which right and in which form. Source: Adobe's endpoint reference."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

from mobjects.sandbox.fields import COMPANY, LEAD, OPPORTUNITY, ROLE
from mobjects.sandbox.rest import describe_call, record_query, record_sync
from mobjects.sandbox.rest.assets import program_update, programs, tags_channels
from mobjects.sandbox.rest.rest_call import FORM_TYPE, JSON_TYPE, RestContext, RestError, SandboxReply

PREFIX = "/rest/"
ASSET_PREFIX = "/rest/asset/"

Handler = Callable[[RestContext], SandboxReply]


@dataclass(frozen=True, slots=True)
class Route:
    """One call.

    Args:
        method: what is meant, see ``RestRequest.method``.
        pattern: of the path as sent.
        rights: any of them lets the call pass; empty needs none.
        media_type: what a body has to be; ``""`` does not matter.
        writes: whether it changes something.
    """

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    rights: tuple[str, ...] = ()
    media_type: str = ""
    writes: bool = False

    @property
    def is_asset(self) -> bool:
        """Whether it is of the asset API, whose answers have another form."""
        return self.pattern.pattern.startswith(ASSET_PREFIX)


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """The call that is meant, and the decoded parts of its path.

    Raises:
        RestError: 610 for an unknown path, 605 for another method.
    """
    matches = [(route, match) for route in _ROUTES if (match := route.pattern.fullmatch(path))]
    if not matches:
        raise RestError("610", "Requested resource not found")
    for route, match in matches:
        if route.method == method:
            return route, tuple(unquote(part) for part in match.groups())
    raise RestError("605", f"HTTP Method '{method}' not supported")


def _read(path: str, handler: Handler, *rights: str) -> Route:
    return Route("GET", _pattern(path), handler, (*rights, *(each.replace("Only", "Write") for each in rights)))


def _write(path: str, handler: Handler, right: str, media_type: str = "") -> Route:
    return Route("POST", _pattern(path), handler, (right,), media_type, writes=True)


def _pattern(path: str) -> re.Pattern[str]:
    escaped = re.escape(path).replace(r"\{id\}", "([0-9]{1,9})").replace(r"\{tag\}", "([^/]+)")
    return re.compile(escaped.replace(r"\.json", ".json").replace("\\-", "-"))


def _object_routes(base: str, kind: str) -> list[Route]:
    reads, writes = "Read-Only Opportunity", "Read-Write Opportunity"
    return [
        _read(f"{base}/describe.json", partial(describe_call.describe_records, kind=kind), reads),
        _read(f"{base}.json", partial(record_query.query_records, kind=kind), reads),
        _write(f"{base}.json", partial(record_sync.sync_records, kind=kind), writes, JSON_TYPE),
        _write(f"{base}/delete.json", partial(record_sync.delete_records, kind=kind), writes, JSON_TYPE),
    ]


_READ_ASSETS, _WRITE_ASSETS = "Read-Only Assets", "Read-Write Assets"
_ROUTES = [
    *_object_routes("/rest/v1/opportunities", OPPORTUNITY),
    *_object_routes("/rest/v1/opportunities/roles", ROLE),
    _read("/rest/v1/companies.json", partial(record_query.query_parties, kind=COMPANY), "Read-Only Company"),
    _read("/rest/v1/leads.json", partial(record_query.query_parties, kind=LEAD), "Read-Only Lead"),
    _read("/rest/v1/stats/usage.json", partial(describe_call.read_usage, days=1)),
    _read("/rest/v1/stats/usage/last7days.json", partial(describe_call.read_usage, days=7)),
    _read("/rest/asset/v1/programs.json", programs.browse_programs, _READ_ASSETS),
    _read("/rest/asset/v1/program/{id}.json", programs.read_by_id, _READ_ASSETS),
    _read("/rest/asset/v1/program/byName.json", programs.read_by_name, _READ_ASSETS),
    _read("/rest/asset/v1/program/byTag.json", programs.read_by_tag, _READ_ASSETS),
    _write("/rest/asset/v1/program/{id}.json", program_update.update_program, _WRITE_ASSETS, FORM_TYPE),
    _write("/rest/asset/v1/program/{id}/tag/{tag}/delete.json", tags_channels.delete_tag, _WRITE_ASSETS),
    _write("/rest/asset/v1/program/{id}/tag/{tag}.json", tags_channels.set_tag, _WRITE_ASSETS),
    _read("/rest/asset/v1/tagTypes.json", tags_channels.browse_tag_types, _READ_ASSETS),
    _read("/rest/asset/v1/tagType/byName.json", tags_channels.read_tag_type, _READ_ASSETS),
    _read("/rest/asset/v1/channels.json", tags_channels.browse_channels, _READ_ASSETS),
    _read("/rest/asset/v1/channel/byName.json", tags_channels.read_channel, _READ_ASSETS),
]
