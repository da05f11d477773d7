"""Which of the objects that a look-up found a record is. What is not clear is left to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, OpportunityPersonRole, SyncedRecord, SyncResultStatus
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.pull.identify.place import FoundObject

CHANGED_HERE = _("It was changed here while Marketo was asked; look it up again.")
UNDER_WAY_HERE = _("It is being sent, or was sent without an answer; look it up again when that is settled.")
PERSON_UNCLEAR = _(
    "Marketo has such a role in this opportunity, but names its person in another way than here, by ID or by key. "
    "Give the person as Marketo does, then look it up again."
)
_NOUNS = {Kind.OPPORTUNITY: ("opportunity", "opportunities"), Kind.ROLE: ("role", "roles")}


@dataclass(frozen=True, slots=True)
class LookupVerdict:
    """What a look-up came to for one record.

    Args:
        status: ``TAKEN``, ``MISSING`` or ``HELD``.
        words: why, or what else a person should know; "" for nothing.
        called: the id that was found, if it is clear.
    """

    status: SyncResultStatus
    words: str = ""
    called: str = ""


class RecordMatcher:
    """Tells records apart by what was found of them. Made once for the records of a call.

    Args:
        kind: of all of them.
        found: whatever any of them may be.
        key_field: the field of opportunities by which was asked.
        keys: names of the external key fields.
        holders: records that have one of the ids already, by id.
        owners: opportunities by external ID, those whose external ID is exactly one that was found.
    """

    def __init__(
        self,
        kind: Kind,
        found: Sequence[FoundObject],
        key_field: str,
        keys: KeyFields,
        *,
        holders: Mapping[str, SyncedRecord],
        owners: Mapping[str, Opportunity],
    ) -> None:
        self._kind, self._key_field, self._keys = kind, key_field, keys
        self._holders, self._owners = dict(holders), owners
        self._by_key: dict[str, list[FoundObject]] = {}
        for each in found:
            self._by_key.setdefault(_plain(each.key), []).append(each)

    def judge_record(self, record: SyncedRecord) -> LookupVerdict:
        """What became of a record. One that is found has its id from then on, so that no other one gets it."""
        alike = self._by_key.get(_plain(key_of(record)), [])
        fitting = [each for each in alike if self._fits(record, each)]
        if len(fitting) > 1:
            return _held(self._several(record, fitting))
        if not fitting:
            return self._missing(record, alike)
        (found,) = fitting
        if (problem := self._claimed_elsewhere(record, found)) is not None:
            return _held(problem)
        self._holders[found.called] = record
        return LookupVerdict(SyncResultStatus.TAKEN, self._note(record, found), found.called)

    def _fits(self, record: SyncedRecord, found: FoundObject) -> bool:
        if not isinstance(record, OpportunityPersonRole):
            return True
        if _plain(record.role) != _plain(found.role):
            return False
        if record.person_id is not None:
            return found.person_id == int(record.person_id)
        return _plain(record.person_key) == _plain(found.person_key)

    def _several(self, record: SyncedRecord, fitting: Sequence[FoundObject]) -> str:
        ids = ", ".join(sorted(each.called for each in fitting))
        return _(
            "Marketo has %(count)s %(kind)s %(which)s: %(ids)s. Which of them it is, nobody can tell; "
            "merge or delete the others in Marketo, or import the ID."
        ) % {"count": len(fitting), "kind": _NOUNS[self._kind][1], "which": self._named(record), "ids": ids}

    def _missing(self, record: SyncedRecord, alike: Sequence[FoundObject]) -> LookupVerdict:
        if isinstance(record, OpportunityPersonRole):
            by_id = record.person_id is not None
            named_alike = [each for each in alike if _plain(each.role) == _plain(record.role)]
            if any(each.person_id is None if by_id else not each.person_key for each in named_alike):
                return _held(PERSON_UNCLEAR)
        words = _("Marketo has no %(kind)s %(which)s.") % {"kind": _NOUNS[self._kind][0], "which": self._named(record)}
        return LookupVerdict(SyncResultStatus.MISSING, words)

    def _claimed_elsewhere(self, record: SyncedRecord, found: FoundObject) -> str | None:
        holder = self._holders.get(found.called)
        if holder is not None:
            called = self._keys.traits.id_kind(self._kind).value
            return _("Marketo has it as %(called)s, and “%(holder)s” (our no. %(pk)s) has that %(word)s already.") % {
                "called": found.called,
                "holder": holder,
                "pk": holder.pk,
                "word": called,
            }
        owner = self._owners.get(found.key)
        if found.key != key_of(record) and owner is not None:
            return _(
                "Marketo has it as %(called)s, written “%(key)s”, which is exactly the external ID of "
                "“%(owner)s” (our no. %(pk)s)."
            ) % {"called": found.called, "key": found.key, "owner": owner, "pk": owner.pk}
        return None

    def _named(self, record: SyncedRecord) -> str:
        key = key_of(record)
        if isinstance(record, OpportunityPersonRole):
            return _("“%(role)s” of %(person)s in the opportunity whose %(opportunity)s is “%(key)s”") % {
                "role": record.role,
                "person": record.person_label,
                "opportunity": self._keys.opportunity,
                "key": key,
            }
        return _("whose %(key_field)s is “%(key)s”") % {"key_field": self._key_field, "key": key}

    def _note(self, record: SyncedRecord, found: FoundObject) -> str:
        """What else the object tells: an opportunity that was found by another field may have another key."""
        if self._kind is not Kind.OPPORTUNITY or _plain(found.opportunity_key) == _plain(key_of(record)):
            return ""
        held = f"“{found.opportunity_key}”" if found.opportunity_key else "empty"
        return _("In Marketo its %(opportunity)s is %(held)s; its roles are found by that alone.") % {
            "opportunity": self._keys.opportunity,
            "held": held,
        }


def key_of(record: SyncedRecord) -> str:
    """The key that is asked for: its external ID, or that of its opportunity; "" if there is none."""
    if isinstance(record, OpportunityPersonRole):
        return record.opportunity.external_id or ""
    return getattr(record, "external_id", None) or ""


def _held(words: str) -> LookupVerdict:
    return LookupVerdict(SyncResultStatus.HELD, words)


def _plain(text: str) -> str:
    """A key without what Marketo does not tell apart: small letters, no blanks around it."""
    return text.strip().casefold()
