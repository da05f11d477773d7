"""How this Marketo instance is set up, as far as instances differ or sources do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum


class ChannelChange(StrEnum):
    """What becomes of a channel in the update of a program; Adobe's pages and a later swagger disagree."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(slots=True)
class RestInstance:
    """Switches of one instance; any of them may be set while it runs.

    Args:
        native_crm_sync: the CRM owns opportunities and roles: writing them is refused with 1018.
        form_token: whether the identity endpoint takes its parameters from a form body too.
        token_seconds: how long a new token lives.
        denied_rights: rights that the API user lacks, such as ``Read-Write Assets``.
        denied_paths: patterns of calls that are refused with 603, such as ``POST /rest/v1/opportunities.json``.
        calls_per_window: most calls in 20 s, then 606; 0 counts only. Marketo's own figure is 100.
        calls_at_once: most calls at the same time, then 615; 0 counts only. Marketo's own figure is 10.
        calls_per_day: most calls in a day of Central time, then 607; 0 counts only. Marketo's own figure is 50,000.
        calls_of_others: what other integrations have called today.
        channel_on_update: see :class:`ChannelChange`.
        tag_call_adds: whether the call for one tag adds a tag that the program lacks.
        single_quotes: whether lists in form fields may be written with single quotes, as one public client does.
        costs_by_id: whether a program read by id shows its costs.
        missing_is_error: whether a program that is not there is error 702 instead of an empty answer.
        write_race_seconds: a program that was written is refused with 611 for so long.
        lag_seconds: what was written through REST is read only after so long.
    """

    native_crm_sync: bool = False
    form_token: bool = True
    token_seconds: float = 3600.0
    denied_rights: list[str] = field(default_factory=list)
    denied_paths: list[str] = field(default_factory=list)
    calls_per_window: int = 0
    calls_at_once: int = 0
    calls_per_day: int = 0
    calls_of_others: int = 0
    channel_on_update: ChannelChange = ChannelChange.ACCEPTED
    tag_call_adds: bool = True
    single_quotes: bool = False
    costs_by_id: bool = False
    missing_is_error: bool = False
    write_race_seconds: float = 0.0
    lag_seconds: float = 0.0

    def set_options(self, options: Mapping[str, object]) -> None:
        """Set several switches by name, or none.

        Raises:
            ValueError: unknown name or a value of the wrong type; says which and what there is.
        """
        defaults = {each.name: getattr(RestInstance(), each.name) for each in fields(self)}
        checked = {}
        for name, value in options.items():
            if name not in defaults:
                raise ValueError(f"unknown option {name!r}; there are {', '.join(defaults)}")
            checked[name] = _typed(name, value, defaults[name])
        for name, value in checked.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Back to what a new instance has."""
        for each in fields(self):
            setattr(self, each.name, getattr(RestInstance(), each.name))


def _typed(name: str, value: object, default: object) -> object:
    if isinstance(default, ChannelChange):
        return ChannelChange(str(value))
    wanted: type | tuple[type, ...] = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, wanted) or isinstance(value, bool) is not isinstance(default, bool):
        raise ValueError(f"{name} must be like {default!r}, got {value!r}")
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name} must be a list of texts, got {value!r}")
    return value
