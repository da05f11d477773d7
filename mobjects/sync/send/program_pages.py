"""Reading many programs with few calls: by naming them, or as pages of a range of ids, from the lowest wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mobjects.marketo.transport_traits import TransportTraits
from mobjects.marketo.types import Kind, MarketoQuery, QueryPage, RemoteObject

MOST_TO_A_PAGE = 100
"""So many are asked for at once; a transport may answer with fewer, and at worst with one."""


def query_programs(numbers: Mapping[int, int], traits: TransportTraits) -> tuple[MarketoQuery, Sequence[int]]:
    """The query for the next page, and our ids of the programs that it is about.

    Args:
        numbers: our id to Marketo's of all programs that are wanted; not empty.
        traits: the ways of the API in use: whether a query names programs, or a range of ids.
    """
    several = traits.named_to_a_query > 1
    most = min(traits.named_to_a_query, MOST_TO_A_PAGE) if several else MOST_TO_A_PAGE
    wanted = sorted(numbers, key=lambda pk: numbers[pk])[:most]
    first, last = numbers[wanted[0]], numbers[wanted[-1]]
    if several:
        return MarketoQuery(Kind.PROGRAM, ids=[numbers[pk] for pk in wanted], archived=True, details=True), wanted
    if first == last:
        return MarketoQuery(Kind.PROGRAM, id=first, archived=True, details=True), wanted
    return MarketoQuery(Kind.PROGRAM, id_from=first, id_to=last, archived=True, details=True), wanted


def read_programs(page: QueryPage, numbers: Mapping[int, int]) -> dict[int, list[RemoteObject]]:
    """What a page tells of programs, by our id; always of at least one. An empty list: Marketo does not have it.

    Args:
        page: by rising id, as Marketo answers; further pages tell only of programs behind its last one.
        numbers: our id to Marketo's of the programs that were asked for.
    """
    found = {int(each.marketo_id): each for each in page.found}
    known_to = max(found, default=0) if page.more else max(numbers.values())
    known_to = max(known_to, min(numbers.values()))
    return {pk: [found[number]] if number in found else [] for pk, number in numbers.items() if number <= known_to}
