"""What a transport says about itself, so that everything around it can do without knowing which one it is.

Checks, the Connection page, the reading of the environment and the masking of what is kept all go by an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from mobjects.marketo.probing import Confirmation, FactsSource, Probe
from mobjects.marketo.redaction import Finder
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.signature_check import SignatureVerdict, SignedCall
from mobjects.marketo.transport import MarketoTransport
from mobjects.marketo.transport_traits import DEFAULT_TRAITS, TransportTraits
from mobjects.marking import gettext_noop as _

Config = Mapping[str, Any]
"""``settings.MARKETO``."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that a transport reads.

    Args:
        name: in ``settings.MARKETO``; the environment variable has ``MARKETO_`` in front.
        label: what pages call it.
        required: whether nothing can be sent without it.
        secret: whether it may never be shown. It may come from a file as well, and is masked in what is kept.
    """

    name: str
    label: str
    required: bool = True
    secret: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables it is read from."""
        variable = f"MARKETO_{self.name}"
        return (variable, f"{variable}_FILE") if self.secret else (variable,)

    def __str__(self) -> str:
        first, *others = self.variables
        return f"{first} (or {others[0]})" if others else first


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """Something missing or unsafe in the settings, in words. A ``serious`` one stops every command that checks."""

    id: str
    message: str
    hint: str
    serious: bool = False


def _no_member(_request: str, _response: str, _place: int, _size: int) -> tuple[str, str]:
    return "", ""


@dataclass(frozen=True, slots=True)
class TransportEntry:
    """One way to talk to Marketo: what it needs, what may be seen of that, and how it is opened.

    Args:
        name: value of ``MARKETO_TRANSPORT``.
        endpoint: the setting that holds the address.
        example: such an address.
        settings: all that it reads, the endpoint included, in the order in which people see them.
        where: where Marketo shows the values, as a sentence.
        masked: finds secrets in a request or an answer that are no settings, such as a signature or a token made from
            one, each with its word; what follows the first group is one.
        open: from ``settings.MARKETO``, what all processes share, and what was learned of the instance, to the
            transport. The last is asked for when it is needed.
        traits: the ways of its API.
        answer_seconds: how long a call may wait for its answer at least, whatever ``MARKETO_TIMEOUT_SECONDS`` says.
        look_up_seconds: how long after a call without an answer Marketo may still be carrying it out.
        confirmations: what is done only where a person has allowed it.
        probe: asks an instance what its API's documentation leaves open; ``None`` where nothing is.
        find_member: from the request and the answer of a kept call, a place from 1 and the number of records to what
            they hold of the record at that place, as text; "" where that cannot be told for certain.
        verify: says whether a call that is kept was signed as it should have been; ``None`` where calls are not signed.
    """

    name: str
    endpoint: Setting
    example: str
    settings: Sequence[Setting]
    where: str
    masked: Sequence[Finder]
    open: Callable[[Config, SharedStore, FactsSource], MarketoTransport]
    traits: TransportTraits = DEFAULT_TRAITS
    answer_seconds: int = 0
    look_up_seconds: int = 180
    confirmations: Sequence[Confirmation] = ()
    probe: Probe | None = None
    find_member: Callable[[str, str, int, int], tuple[str, str]] = _no_member
    verify: Callable[[Config, SignedCall], SignatureVerdict] | None = None

    def missing(self, config: Config) -> str:
        """Which required settings are not set, as a sentence; "" if none."""
        return not_set([setting for setting in self.settings if setting.required and not config[setting.name]])

    def secrets(self, config: Config) -> list[str]:
        """The values that may never be shown."""
        return [config[setting.name] for setting in self.settings if setting.secret and config[setting.name]]

    def is_local(self, config: Config) -> bool:
        """Whether the endpoint is on this machine."""
        return _is_loopback(config[self.endpoint.name])

    def problems(self, config: Config, *, debug: bool) -> Iterator[SettingProblem]:
        """What is missing or unsafe in the settings.

        Args:
            debug: whether error pages show data and settings.
        """
        for setting in self.settings:
            if setting.required and not config[setting.name]:
                yield SettingProblem(
                    "mobjects.W001",
                    _("%(setting)s is not set, so nothing can be sent to Marketo.") % {"setting": setting},
                    self.where,
                )
        address = config[self.endpoint.name]
        if problem := address and describe_bad_address(str(self.endpoint), address):
            # The address itself is left out: it may hold a password.
            yield SettingProblem("mobjects.E002", problem, _("Example: %(example)s.") % {"example": self.example}, True)
        elif address and not _is_loopback(address):
            yield from self._remote_problems(address, debug=debug)

    def _remote_problems(self, address: str, *, debug: bool) -> Iterator[SettingProblem]:
        if urlsplit(address).scheme == "http":
            yield SettingProblem(
                "mobjects.E003",
                _("%(endpoint)s is “%(address)s”: records and credentials would travel unencrypted.")
                % {"endpoint": self.endpoint, "address": address},
                _("Use https://. Plain http is accepted only for an endpoint on this machine."),
                True,
            )
        if debug:
            yield SettingProblem(
                "mobjects.W002",
                _("DJANGO_DEBUG is on while %(endpoint)s is a real Marketo: error pages show data and settings.")
                % {"endpoint": self.endpoint},
                _("Set DJANGO_DEBUG=false, or use the local Marketo (manage.py sandbox)."),
            )


def not_set(missing: Sequence[Setting]) -> str:
    """That these settings are not set, as a sentence; "" if there are none."""
    if not missing:
        return ""
    words = _("%(settings)s is not set.") if len(missing) == 1 else _("%(settings)s are not set.")
    return words % {"settings": ", ".join(map(str, missing))}


def describe_bad_address(setting: str, address: str) -> str:
    """What is wrong with an endpoint, as a sentence; "" if nothing is.

    Args:
        setting: its name.
    """
    no_address = _("%(setting)s is not a web address.")
    no_https = _("%(setting)s is not a web address that starts with https://.")
    with_person = _("%(setting)s must not hold a user name or password.")
    try:
        parts = urlsplit(address)
        _port = parts.port  # a port that is not a number shows only when asked for
    except ValueError:
        return no_address % {"setting": setting}
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return no_https % {"setting": setting}
    return with_person % {"setting": setting} if parts.username is not None else ""


def _is_loopback(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # any other name; 127.0.0.1.example.com is one
        return False
