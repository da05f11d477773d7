"""Which records lack what the API in use needs of them, such as those that were kept for another API before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop as _

from mobjects.marketo.transport_traits import IdKind
from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, ProgramCost, records_of_kind
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.content.unsendable import HAS_DECIMALS

LOOKED_UP = (Kind.OPPORTUNITY, Kind.ROLE)
"""Kinds whose ids can be looked up by what their objects are found by. Roles after the opportunities they belong to."""

_PLURALS = {Kind.OPPORTUNITY: _("Opportunities"), Kind.ROLE: _("Person roles")}


@dataclass(frozen=True, slots=True)
class RecordGap:
    """Something that records lack.

    Args:
        name: stays the same for ever; stands in addresses of filtered lists.
        model: of the rows.
        words: which they are, in the plural.
        condition: finds them.
        cure: what to do, as sentences.
    """

    name: str
    model: type[models.Model]
    words: str
    condition: Q
    cure: str

    def count_rows(self) -> int:
        """How many lack it now."""
        return int(self.model._default_manager.filter(self.condition).count())


def list_gaps(keys: KeyFields) -> list[RecordGap]:
    """What records may lack for the API in use, whether or not some do; empty where it needs nothing more.

    Args:
        keys: the key fields, with the ways of the API.
    """
    return [*_key_gaps(keys), *_person_gaps(keys), *_id_gaps(keys), *_cost_gaps(keys)]


def find_gap(keys: KeyFields, model: type[models.Model], name: str) -> RecordGap | None:
    """The gap with this name that rows of a model may have; ``None`` if the API in use knows none."""
    return next((gap for gap in list_gaps(keys) if gap.name == name and gap.model is model), None)


def kinds_without_numbers(keys: KeyFields) -> list[Kind]:
    """Kinds whose objects Marketo calls by something else than numbers, so that their ids may have to be looked up."""
    return [kind for kind in LOOKED_UP if keys.traits.id_kind(kind) is not IdKind.NUMBER]


def _key_gaps(keys: KeyFields) -> Iterator[RecordGap]:
    if keys.traits.needs_opportunity_key:
        yield RecordGap(
            "external-id",
            Opportunity,
            _("Opportunities without an external ID"),
            Q(external_id__isnull=True, **{f"{keys.id_column(Kind.OPPORTUNITY)}__isnull": True}),
            _(
                "Marketo finds them by %(opportunity)s. Give those that Marketo has the one that stands "
                "there: another one would make a second opportunity. Give new ones any that no other has. "
                "Many at once: export the list, fill in the column External ID, import the file."
            )
            % {"opportunity": keys.opportunity},
        )
    if keys.traits.role_is_key:
        yield RecordGap(
            "role-name",
            OpportunityPersonRole,
            _("Person roles without a role name"),
            Q(role=""),
            _(
                "Marketo finds a role by opportunity, person and role name. Give each a role name that it has, or will "
                "have, in Marketo."
            ),
        )
    if keys.traits.roles_name_opportunity_by_key:
        yield RecordGap(
            "opportunity-key",
            OpportunityPersonRole,
            _("Person roles whose opportunity has no external ID"),
            Q(opportunity__external_id__isnull=True),
            _("Marketo finds their opportunity by its external ID. Give the opportunities theirs."),
        )


def _person_gaps(keys: KeyFields) -> Iterator[RecordGap]:
    if keys.traits.role_is_key and not keys.person:
        yield RecordGap(
            "person-key",
            OpportunityPersonRole,
            _("Person roles that give the person by key"),
            Q(person_id__isnull=True),
            _(
                "Set MARKETO_PERSON_KEY_FIELD to the field of people that holds this key, "
                "or give the person ID instead."
            ),
        )


def _id_gaps(keys: KeyFields) -> Iterator[RecordGap]:
    for kind in kinds_without_numbers(keys):
        called = keys.traits.id_kind(kind).value
        known = Q(marketo_id__isnull=False) | ~Q(accepted={})
        yield RecordGap(
            "id",
            records_of_kind(kind).model,
            _("%(kind)s in Marketo without a %(called)s") % {"kind": _PLURALS[kind], "called": called},
            Q(**{f"{keys.id_column(kind)}__isnull": True}) & known,
            _("Look up the IDs, below. What is not found under its key has another key in Marketo, or none."),
        )


def _cost_gaps(keys: KeyFields) -> Iterator[RecordGap]:
    if keys.traits.whole_costs:
        yield RecordGap(
            "decimals",
            ProgramCost,
            _("Period costs with decimals"),
            HAS_DECIMALS,
            _("Marketo keeps whole amounts. Round them here; until then their programs are held back."),
        )
