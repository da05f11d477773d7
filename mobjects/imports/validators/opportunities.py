"""Files of opportunities: the Marketo ID or GUID, else our external ID, says which one a row means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import ClassVar

from django.utils.translation import gettext_noop as _

from mobjects.imports.cell_parser import FieldText, ParsedRow
from mobjects.imports.duplicates import UniqueRule
from mobjects.imports.staging import CheckedRow
from mobjects.imports.validators.base import RowValidator, resolve_record
from mobjects.imports.validators.record_lookup import LEADING_VALUES, StoredRecord
from mobjects.marketo.value_text import HOLDS_UNSEEN, drop_unseen
from mobjects.models import Opportunity

_ID, _GUID, _EXTERNAL, _NAME, _COMPANY_ID, _COMPANY_KEY = range(LEADING_VALUES, LEADING_VALUES + 6)
_SENT_AS = {"Company ID": "Company ID", "Company Key": "Company key", "Marketo ID": "", "Marketo GUID": ""}
_UNIQUE = (("marketo_id", "Marketo ID"), ("marketo_guid", "Marketo GUID"), ("key", "External ID"))


class OpportunityValidator(RowValidator):
    """Judges rows of opportunities."""

    noun = "opportunity"
    model = Opportunity
    extra_fields = ("marketo_id", "marketo_guid", "external_id", "name", "company_id", "company_key")
    key_names: ClassVar = ("Marketo ID", "Marketo GUID", "External ID")
    either: ClassVar = ("Company ID", "Company Key")

    def validate_rows(self, items: Sequence[ParsedRow]) -> Iterator[CheckedRow]:
        ids = [int(value) for value in self.get_values(items, "Marketo ID")]
        guids, keys = self.get_values(items, "Marketo GUID"), self.get_values(items, "External ID")
        by_id = {record[_ID]: record for record in self.lookup.find_by_field("marketo_id", ids)}
        by_guid = {record[_GUID]: record for record in self.lookup.find_by_field("marketo_guid", guids)}
        by_key = {record[_EXTERNAL]: record for record in self.lookup.find_by_field("external_id", keys)}
        here = {"Marketo ID": by_id, "Marketo GUID": by_guid}
        for item in items:
            external_id = self.get_value(item, "External ID")
            record = by_key.get(external_id)
            called = self._marketo_ids(item) if self._has_ids else ""
            if called:
                by_ids = {name: found.get(self.get_value(item, name)) for name, found in here.items()}
                record = resolve_record(self, item, by_ids, record, "External ID", itemgetter(_NAME))
            yield self._validate_row(item, record, called, external_id)

    @cached_property
    def _has_ids(self) -> bool:
        return "Marketo ID" in self.index or "Marketo GUID" in self.index

    def _marketo_ids(self, item: ParsedRow) -> str:
        """The first thing that a row's record is called in Marketo; empty if it names nothing of the kind."""
        return self.get_value(item, "Marketo ID") or self.get_value(item, "Marketo GUID") or ""

    def _validate_row(
        self, item: ParsedRow, record: StoredRecord | None, called: str, external_id: FieldText
    ) -> CheckedRow:
        if record is not None:
            self.blanks.fill(item, record)
        if "" not in item.failed:
            if not called and not external_id and item.failed.isdisjoint(self.key_names):
                self.add_problem(item, "", _("has neither a Marketo ID nor an External ID; give one of them."))
            self.check_required(item, record)
            self._check_row(item, record, external_id)
        label = self.get_value(item, "Name") or (record[_NAME] if record else external_id or called or "")
        return self.build_checked_row(item, record, label, key=external_id or "")

    def _check_row(self, item: ParsedRow, record: StoredRecord | None, external_id: FieldText) -> None:
        tidy = drop_unseen(external_id or "").strip()
        if external_id and tidy != external_id and (record is None or record[_EXTERNAL] != external_id):
            spaced = external_id != external_id.strip()
            rule = _("starts or ends with a space.") if spaced else HOLDS_UNSEEN
            self.add_problem(item, "External ID", rule, tidy)
        company_id = self._resulting_value(item, record, "Company ID", _COMPANY_ID)
        if company_id and self._resulting_value(item, record, "Company Key", _COMPANY_KEY):
            name = "Company Key" if "Company Key" in self.index else "Company ID"
            self.add_problem(item, name, _("give the Company ID or the Company Key, not both."))

    def _resulting_value(self, item: ParsedRow, record: StoredRecord | None, name: str, place: int) -> FieldText:
        """The value after the import."""
        if name in self.index:
            return self.get_value(item, name)
        return record[place] if record else None

    def unique_rules(self) -> list[UniqueRule]:
        rules = [UniqueRule(field, name, self.column_position(name)) for field, name in _UNIQUE if name in self.index]
        return [*rules, UniqueRule("record_id")] if len(rules) > 1 else rules

    # --- conflicts -----------------------------------------------------------------------------------------------

    def unsent_values(
        self, item: ParsedRow, record: StoredRecord, changed: Sequence[int], accepted: Mapping[str, str]
    ) -> Iterator[tuple[str, str]]:
        return super().unsent_values(item, record, changed, self.key_fields.rename_key(accepted))

    def accepted_name(self, place: int) -> str:
        name = self.written[place].name
        if name == "External ID":
            return str(self.key_fields.opportunity)
        return _SENT_AS.get(name, name)
