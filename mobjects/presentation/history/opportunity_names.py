"""The opportunities that kept values of roles name by our own id: what they are called, and where they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mobjects.marketo.attributes import OPPORTUNITY_LINK, OUR_NUMBER_PREFIX
from mobjects.models import Opportunity, SyncResult
from mobjects.presentation.vocabulary import field_text
from mobjects.selectors import id_in

_OURS = re.compile(rf"{OUR_NUMBER_PREFIX}(\d+)")


def link_opportunities(
    changes: Iterable[tuple[str, ...]], *, linked: bool, known: Mapping[int, str] | None = None
) -> dict[str, SafeString]:
    """What stands in place of ``our no. 41``: the opportunity's name, which leads to it.

    Args:
        changes: the name of a value, as it is kept or as it is shown, and texts of it; other values are left out.
        linked: whether the reader may open opportunities; without it the name is only a text.
        known: names by our own id, where the page has them already; then the database is not asked for others, which
            stay as they are.

    Returns:
        By the text that is kept. One query, and none where no text names an opportunity.
    """
    names = (OPPORTUNITY_LINK, field_text(OPPORTUNITY_LINK))
    texts = {text for name, *values in changes if name in names for text in values}
    found = {text: id_in(match[1]) for text in texts if (match := _OURS.fullmatch(text))}
    if known is not None:
        return {text: _render(text, pk, known, linked=linked) for text, pk in found.items() if pk in known}
    ids = {pk for pk in found.values() if pk is not None}
    here = dict(Opportunity.objects.filter(pk__in=ids).order_by().values_list("pk", "name")) if ids else {}
    return {text: _render(text, pk, here, linked=linked) for text, pk in found.items()}


def link_in_results(results: Iterable[SyncResult], *, linked: bool) -> dict[str, SafeString]:
    """The same for all values of some results."""
    changes = (
        change for result in results for change in (*result.diff, *((name, text) for name, text in result.sent.items()))
    )
    return link_opportunities(changes, linked=linked)


def _render(text: str, pk: int | None, here: Mapping[int, str], *, linked: bool) -> SafeString:
    if pk is None or pk not in here:
        return format_html("{} ({})", text, _("deleted here"))
    if not linked:
        return format_html("{}", here[pk])
    return format_html('<a href="{}">{}</a>', reverse("admin:mobjects_opportunity_change", args=[pk]), here[pk])
