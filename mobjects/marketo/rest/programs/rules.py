"""What of a program Marketo does not take over REST, in words; and what would be sent.

Sources: Adobe's developer pages on programs, period costs and tags. Amounts are whole numbers up to 99,999,999.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote

from mobjects.marketo.rest.programs.cost_rows import row_of
from mobjects.marketo.rest.programs.reading import ASSETS, program_path
from mobjects.marketo.rest.programs.tag_calls import is_channel
from mobjects.marketo.rest.request import encode_json
from mobjects.marketo.types import OutgoingCost, OutgoingRecord
from mobjects.marketo.value_parsing import LARGEST_ID, quote_value
from mobjects.marking import gettext_noop as _

LARGEST_AMOUNT = 99_999_999


def program_problem(record: OutgoingRecord) -> str:
    """Why a program may not be sent, without a full stop; "" if it may."""
    number = record.marketo_id
    if number is None:
        return _("a program is found by its Marketo ID, and this one has none")
    if not isinstance(number, int) or not 0 < number <= LARGEST_ID:
        return _("Marketo ID %(number)s is not between 1 and %(largest_id)s") % {
            "number": number,
            "largest_id": LARGEST_ID,
        }
    if record.values or record.associations or record.external_key:
        return _("only channel, costs and tags of a program can be changed")
    return next(iter((*_cost_problems(record), *_tag_problems(record))), "")


def _cost_problems(record: OutgoingRecord) -> Iterator[str]:
    for cost in record.costs:
        if problem := _amount_problem(cost):
            yield problem
        if _is_broken(cost.note or ""):
            yield _("the note of the cost of %(month)s holds half of a character") % {"month": f"{cost.month:%Y-%m}"}


def _amount_problem(cost: OutgoingCost) -> str:
    amount, where = cost.amount, _("the cost of %(month)s") % {"month": f"{cost.month:%Y-%m}"}
    if not amount.is_finite() or not 0 <= amount <= LARGEST_AMOUNT:
        return _("%(where)s: %(amount)s is not between 0 and %(largest_amount)s") % {
            "where": where,
            "amount": quote_value(amount),
            "largest_amount": LARGEST_AMOUNT,
        }
    if amount != amount.to_integral_value():
        next_whole = amount.quantize(Decimal(1), ROUND_HALF_UP)
        return _(
            "%(where)s: %(amount)s has decimals, and Marketo takes whole amounts only over this API; "
            "%(next_whole)s is next"
        ) % {"where": where, "amount": amount, "next_whole": next_whole}
    return ""


def _tag_problems(record: OutgoingRecord) -> Iterator[str]:
    for tag in record.tags:
        if not tag.type.strip() or not tag.value.strip():
            yield _("the tag %(type)s needs a type and a value, and its value is %(value)s") % {
                "type": quote_value(tag.type),
                "value": quote_value(tag.value),
            }
        if _is_broken(tag.type + tag.value):
            yield _("the tag %(type)s holds half of a character") % {"type": quote_value(ascii(tag.type))}
    if any(is_channel(name) for name in record.removed_tags):
        yield _("a program always has a channel, so it cannot be removed; choose another one")


def _is_broken(text: str) -> bool:
    """Whether a text holds half of a character (a surrogate), which nothing can carry."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def render_program(record: OutgoingRecord) -> str:
    """The calls that would be made, in their order; the list of costs as far as it is known without reading it."""
    path = program_path(int(record.marketo_id or 0))
    calls = [f"POST {path}\n\nchannel={tag.value}" for tag in record.tags if is_channel(tag.type)]
    tags = f"{ASSETS}/program/{record.marketo_id}/tag"
    calls += [
        f"POST {tags}/{quote(tag.type, safe='')}.json?tagValue={quote(tag.value, safe='')}"
        for tag in record.tags
        if not is_channel(tag.type)
    ]
    calls += [f"POST {tags}/{quote(name, safe='')}/delete.json" for name in record.removed_tags]
    if record.costs or record.removed_costs:
        calls += _render_costs(record, path)
    return "\n\n".join(calls)


def _render_costs(record: OutgoingRecord, path: str) -> list[str]:
    replaces = bool(record.removed_costs) or any(cost.accepted is not None for cost in record.costs)
    kept = [row_of(cost) for cost in record.unchanged_costs] if replaces else []
    rows = [row.as_field() for row in (*kept, *map(row_of, record.costs))]
    form = f"costs={encode_json(rows).decode()}"
    if replaces:
        form += "&costsDestructiveUpdate=true"
    said = "(all costs are read just before; those that only Marketo holds are kept in the list)"
    return [f"GET {path}", f"POST {path}\n\n{form}" + (f"\n\n{said}" if replaces else "")]
