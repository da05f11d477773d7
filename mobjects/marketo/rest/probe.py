"""What the documentation of the REST API leaves open, asked of the instance itself.

Only reads, unless the order names a program for writing. That one is put back as it was found, also where a question
fails on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from mobjects.marketo.errors import MarketoError
from mobjects.marketo.probing import ProbeAnswer, ProbeOrder
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.replies import decimal_number
from mobjects.marking import gettext_noop as _

COSTS_BY_ID = "costs_by_id"
"""The fact that the transport goes by: ``yes`` or ``no``; see :mod:`mobjects.marketo.rest.programs.program_facts`. All
others are for people: after each write of a tag or a channel the transport looks whether it was done."""
TAG_ADDS, CHANNEL_ON_UPDATE = "tag_adds", "channel_on_update"
YES, NO = "yes", "no"

_OPPORTUNITIES = "/rest/v1/opportunities.json"
_ROLES = "/rest/v1/opportunities/roles.json"
_PROGRAM = "/rest/asset/v1/program"
_LOOKED_AT = 20
_PROBE_MONTH, _PROBE_COST = "2001-01-01", 7
_NOBODY = 2**31 - 1  # no instance has come so far


class RestProbe:
    """Asks the questions, one after the other.

    Args:
        calls: to the instance.
        order: what may be touched.
    """

    def __init__(self, calls: RestCalls, order: ProbeOrder) -> None:
        self._calls = calls
        self._order = order

    def ask_all(self) -> Iterator[ProbeAnswer]:
        """All answers; a question that cannot be answered says why instead.

        Raises:
            MarketoError: nothing can be asked at all, because Marketo refuses who asks.
        """
        yield from self._describe(_("opportunities"), "/rest/v1/opportunities/describe.json")
        yield from self._describe(_("roles"), "/rest/v1/opportunities/roles/describe.json")
        yield self._ask(COSTS_BY_ID, _("Does reading a program by its ID tell its costs?"), self._costs_by_id)
        key = self._order.opportunity_key
        if key:
            yield self._ask(
                "key_visible",
                _("Is the opportunity “%(key)s” found by its external ID?") % {"key": key},
                self._key_visible,
            )
        if self._order.program_id is not None:
            yield from self._ask_by_writing(self._order.program_id)

    def _ask_by_writing(self, number: int) -> Iterator[ProbeAnswer]:
        path = f"{_PROGRAM}/{number}.json"
        before = self._touch(path, self._program(number))
        try:
            yield self._ask(
                "cost_append", _("What do two costs of one month become?"), lambda: self._append_twice(path)
            )
            yield self._ask("cost_decimals", _("What becomes of the decimals of a cost?"), lambda: self._decimals(path))
        finally:
            self._put_costs_back(path, before)
        yield self._ask(
            TAG_ADDS, _("Does setting one tag add it to a program without it?"), lambda: self._tag_adds(before)
        )
        yield self._ask(
            CHANNEL_ON_UPDATE, _("Does an update take the channel?"), lambda: self._channel_on_update(path, before)
        )
        yield self._ask("missing_code", _("What does updating a missing opportunity answer?"), self._missing_code)
        if self._order.opportunity_key:
            yield self._ask("existing_code", _("What does creating an existing one answer?"), self._existing_code)
            yield self._ask("nobody_code", _("What does a role of a missing person answer?"), self._nobody_code)

    # --- reading ---

    def _describe(self, plural: str, path: str) -> Iterator[ProbeAnswer]:
        (described,) = self._calls.read(path).result
        fields = [each for each in described.get("fields") or [] if isinstance(each, dict)]
        named = ", ".join(f"{each.get('name')} ({each.get('dataType')})" for each in fields)
        writable = [str(each.get("name")) for each in fields if each.get("updateable")]
        searchable = "; ".join("+".join(map(str, each)) for each in described.get("searchableFields") or [])
        yield ProbeAnswer(
            f"{plural}_fields", _("Which fields have %(plural)s?") % {"plural": plural}, f"{len(fields)}: {named}."
        )
        yield ProbeAnswer(
            f"{plural}_writable",
            _("Which of them can be changed in %(plural)s?") % {"plural": plural},
            f"{', '.join(writable) or 'none'}.",
        )
        yield ProbeAnswer(
            f"{plural}_searchable", _("By which are %(plural)s found?") % {"plural": plural}, f"{searchable or 'none'}."
        )

    def _costs_by_id(self) -> tuple[str, str]:
        """Of a program that has costs, as its name tells."""
        for each in self._calls.read(f"{_PROGRAM}s.json", {"maxReturn": _LOOKED_AT}).result:
            name = str(each.get("name"))
            if "," in name:
                continue
            named = self._calls.read(f"{_PROGRAM}/byName.json", {"name": name, "includeCosts": "true"}).result
            if named and named[0].get("costs"):
                answered = bool(self._program(int(each["id"])).get("costs"))
                words = _("Yes, asked of “%(name)s”.") if answered else _("No, asked of “%(name)s”.")
                return words % {"name": name}, YES if answered else NO
        return _("None of the first %(looked_at)s programs has costs, so it could not be found out.") % {
            "looked_at": _LOOKED_AT
        }, ""

    def _key_visible(self) -> tuple[str, str]:
        found = self._opportunity()
        if found is None:
            return _("No: Marketo does not have it under this external ID."), NO
        return _("Yes, as GUID %(guid)s.") % {"guid": str(found.get("marketoGUID")).strip()}, YES

    # --- writing, and putting back ---

    def _append_twice(self, path: str) -> tuple[str, str]:
        for _turn in range(2):
            self._calls.write_form(path, {"costs": [_cost(_PROBE_COST)]})
        costs = self._probe_costs()
        rows, total = len(costs), sum(decimal_number(each.get("cost")) or 0 for each in costs)
        one = _("They became one cost of %(total)s in all, sent twice as %(cost)s.")
        several = _("They became %(rows)s costs of %(total)s in all, sent twice as %(cost)s.")
        words = (one if rows == 1 else several) % {"rows": rows, "total": total, "cost": _PROBE_COST}
        return words, "rows" if rows > 1 else "sum" if total > _PROBE_COST else "kept"

    def _decimals(self, path: str) -> tuple[str, str]:
        before = self._probe_costs()
        try:
            self._calls.write_form(path, {"costs": [_cost(3.5)]})
        except MarketoError as error:
            return _("They are refused: %(message)s") % {"message": error.message}, "refused"
        added = [str(each.get("cost")) for each in self._probe_costs() if each not in before]
        return _("An amount of 3.5 became %(amounts)s.") % {"amounts": ", ".join(added) or "-"}, ", ".join(added)

    def _probe_costs(self) -> list[Mapping[str, Any]]:
        """The costs of the probe's own month, as an update that changes nothing tells them."""
        number = self._order.program_id or 0
        program = self._touch(f"{_PROGRAM}/{number}.json", self._program(number))
        return [each for each in program.get("costs") or [] if _is_probe_month(each)]

    def _touch(self, path: str, program: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give a program the name that it has: the answer tells all of it, costs too."""
        answered = self._calls.write_form(path, {"name": str(program.get("name"))}).result
        touched: Mapping[str, Any] = answered[0] if answered else {}
        return touched

    def _put_costs_back(self, path: str, before: Mapping[str, Any]) -> None:
        kept = [each for each in self._touch(path, before).get("costs") or [] if not _is_probe_month(each)]
        costs: list[object] = [
            {"startDate": str(each.get("startDate"))[:10], "cost": each.get("cost"), "note": each.get("note") or ""}
            for each in [*kept, *(each for each in before.get("costs") or [] if _is_probe_month(each))]
        ]
        self._calls.write_form(path, {"costs": costs or None, "costsDestructiveUpdate": "true"})

    def _tag_adds(self, before: Mapping[str, Any]) -> tuple[str, str]:
        held = {str(each.get("tagType")) for each in before.get("tags") or []}
        for tag_type in self._calls.read("/rest/asset/v1/tagTypes.json", {"maxReturn": 200}).result:
            name = str(tag_type.get("tagType"))
            if name in held or tag_type.get("required") or name == "Channel":
                continue
            answered = self._calls.read("/rest/asset/v1/tagType/byName.json", {"name": name}).result
            value = str(answered[0].get("allowableValues") if answered else "").strip("[]").split(", ")[0]
            if value:
                return self._try_tag(name, value)
        return _("The program has every tag that is not required, so it could not be found out."), ""

    def _try_tag(self, name: str, value: str) -> tuple[str, str]:
        path = f"{_PROGRAM}/{self._order.program_id}/tag/{quote(name, safe='')}"
        try:
            self._calls.write_form(f"{path}.json", {}, {"tagValue": value})
        except MarketoError as error:
            return f"No: {error.message}", NO
        tags = self._program(self._order.program_id or 0).get("tags") or []
        if not any(each.get("tagType") == name for each in tags):
            return _("No: Marketo took “%(name)s” and did not set it.") % {"name": name}, NO
        self._calls.write_form(f"{path}/delete.json", {})
        return _("Yes, tried with “%(name)s”.") % {"name": name}, YES

    def _channel_on_update(self, path: str, before: Mapping[str, Any]) -> tuple[str, str]:
        """With the channel that the program has: an instance that does not know the field may say so."""
        channel = before.get("channel")
        try:
            self._calls.write_form(path, {"channel": channel})
        except MarketoError as error:
            return f"No: {error.message}", NO
        return _(
            "It is accepted with “%(channel)s”, which the program has; whether it changes one shows only then."
        ) % {"channel": channel}, YES

    def _missing_code(self) -> tuple[str, str]:
        record = {"externalOpportunityId": f"no such one {uuid4()}", "name": "Probe"}
        return self._code_of(_OPPORTUNITIES, "updateOnly", record)

    def _existing_code(self) -> tuple[str, str]:
        if self._opportunity() is None:
            return _("The opportunity is not in Marketo, so it was not tried."), ""
        key = self._order.opportunity_key
        return self._code_of(_OPPORTUNITIES, "createOnly", {"externalOpportunityId": key, "name": "Probe"})

    def _nobody_code(self) -> tuple[str, str]:
        role = {"externalOpportunityId": self._order.opportunity_key, "leadId": _NOBODY, "role": "Probe"}
        if self._opportunity() is None:
            return _("The opportunity is not in Marketo, so it was not tried."), ""
        said = self._code_of(_ROLES, "createOnly", role)
        if said[1] == "created":
            self._calls.write_json(
                "/rest/v1/opportunities/roles/delete.json", {"deleteBy": "dedupeFields", "input": [role]}
            )
        return said

    def _code_of(self, path: str, action: str, record: Mapping[str, object]) -> tuple[str, str]:
        body = {"action": action, "dedupeBy": "dedupeFields", "input": [record]}
        (answered,) = self._calls.write_json(path, body).result
        status = str(answered.get("status"))
        codes = [str(each.get("code")) for each in answered.get("reasons") or []]
        words = "; ".join(f"{each.get('code')} {each.get('message')}" for each in answered.get("reasons") or [])
        return f"{status}{f' ({words})' if words else ''}.", codes[0] if codes else status

    # --- shared ---

    def _ask(self, name: str, question: str, find_out: Callable[[], tuple[str, str]]) -> ProbeAnswer:
        try:
            answer, fact = find_out()
        except MarketoError as error:
            if not error.concerns_only_this:
                raise
            answer, fact = _("Not found out: %(message)s") % {"message": error.message}, ""
        return ProbeAnswer(name, question, answer, fact)

    def _program(self, number: int) -> Mapping[str, Any]:
        found = self._calls.read(f"{_PROGRAM}/{number}.json").result
        program: Mapping[str, Any] = found[0] if found else {}
        return program

    def _opportunity(self) -> Mapping[str, Any] | None:
        asked = {"filterType": "externalOpportunityId", "filterValues": self._order.opportunity_key}
        found = self._calls.read(_OPPORTUNITIES, asked).result
        return found[0] if found else None


def _cost(amount: float) -> object:
    return {"startDate": _PROBE_MONTH, "cost": amount, "note": "probe"}


def _is_probe_month(cost: Mapping[str, Any]) -> bool:
    return str(cost.get("startDate"))[:10] == _PROBE_MONTH
