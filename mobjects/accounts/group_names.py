"""Groups that the settings name and nobody made: a misspelt one would let its people in without a second factor."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from django.contrib.auth.models import Group

from mobjects.accounts import account_settings

MEANS = {
    "ACCOUNTS_SECOND_FACTOR_GROUPS": "nobody needs a second factor for it",
    "ACCOUNTS_OIDC_GROUPS": "nobody is put into it",
}


@dataclass(frozen=True, slots=True)
class UnknownGroup:
    """A name of a setting that is no group. ``known`` are those that there are, the most alike first."""

    setting: str
    name: str
    known: tuple[str, ...]

    @property
    def says(self) -> str:
        """What is wrong."""
        return f"{self.setting} names the group “{self.name}”, which does not exist: {MEANS[self.setting]}."

    @property
    def advice(self) -> str:
        """What to do about it."""
        alike = get_close_matches(self.name, self.known, n=1)
        perhaps = f" Perhaps “{alike[0]}” is meant." if alike else ""
        return f"Put the name right, or make the group; there are: {', '.join(self.known) or 'none'}.{perhaps}"


def list_unknown_groups() -> list[UnknownGroup]:
    """Groups that settings name and that are not there.

    Raises:
        django.db.Error: the database does not say.
    """
    named = account_settings.named_groups()
    if not named:
        return []
    known = tuple(Group.objects.order_by("name").values_list("name", flat=True))
    return [UnknownGroup(setting, name, known) for setting, name in dict.fromkeys(named) if name not in known]
