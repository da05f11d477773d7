"""From settings to a transport, and what people may see of those settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from mobjects.instance_facts import load_facts
from mobjects.marketo.errors import ConfigError
from mobjects.marketo.probing import Confirmation, ProbeAnswer, ProbeOrder
from mobjects.marketo.redaction import redact_secrets
from mobjects.marketo.registry import TRANSPORTS
from mobjects.marketo.shared_store import MemoryStore
from mobjects.marketo.signature_check import SignatureVerdict, SignedCall
from mobjects.marketo.transport import MarketoTransport
from mobjects.marketo.transport_entry import TransportEntry
from mobjects.marketo.transport_traits import DEFAULT_TRAITS
from mobjects.marking import gettext_noop as _
from mobjects.shared_store_redis import SharedStoreOnDemand
from mobjects.sync import marketo_settings
from mobjects.sync.content.payload import KeyFields

NOT_SET = _("not set")


def open_transport(*, test_seconds: float | None = None) -> MarketoTransport:
    """The transport that the settings name; the caller closes it.

    Args:
        test_seconds: give up so long after Marketo fell silent, whatever the settings say; only for calls that change
            nothing there.

    Raises:
        ConfigError: ``MARKETO_TRANSPORT`` names none we have.
    """
    config = {**marketo_settings.marketo(), "TEST_SECONDS": test_seconds}
    return _entry().open(config, SharedStoreOnDemand(), partial(load_facts, target()))


def key_fields() -> KeyFields:
    """How records are found in Marketo: the key fields of the settings, and the ways of the transport in use."""
    values = marketo_settings.marketo()
    entry = TRANSPORTS.get(values["TRANSPORT"])
    traits = entry.traits if entry else DEFAULT_TRAITS
    opportunity = _opportunity_key(values["TRANSPORT"])
    return KeyFields(
        opportunity=opportunity,
        person=values["PERSON_KEY_FIELD"],
        company=traits.company_key or values["COMPANY_KEY_FIELD"],
        traits=traits,
        former=_former_names(opportunity, values["OPPORTUNITY_KEY_FIELD"]),
    )


def key_names(transport: str) -> tuple[str, ...]:
    """How the key field of opportunities may be called in what was sent, the likeliest first.

    Args:
        transport: which sent it; "" if that is not known.
    """
    keys = key_fields()
    if transport == marketo_settings.marketo()["TRANSPORT"]:
        return tuple(name for name in (keys.opportunity,) if name)
    called = _opportunity_key(transport) if transport in TRANSPORTS else ""
    if not called:  # It may have been another setting then.
        return tuple(name for name in (keys.opportunity, *keys.former) if name)
    return called, _with_other_case(called)


def _opportunity_key(transport: str) -> str:
    entry = TRANSPORTS.get(transport)
    own = entry.traits.opportunity_key if entry else ""
    return own or str(marketo_settings.marketo()["OPPORTUNITY_KEY_FIELD"])


def _with_other_case(name: str) -> str:
    return f"{name[:1].swapcase()}{name[1:]}"


def _former_names(now: str, configured: str) -> tuple[str, ...]:
    """What another API calls the key field of opportunities: by its settings, by its own rule, or with another case."""
    others = [entry.traits.opportunity_key for entry in TRANSPORTS.values()]
    names = dict.fromkeys((configured, *others, _with_other_case(now)))
    return tuple(name for name in names if name not in ("", now))


def transport_label() -> str:
    """What people call the transport that the settings name."""
    return str(marketo_settings.marketo()["TRANSPORT"]).upper()


def target() -> str:
    """Where records go: the endpoint, or "" if none is set."""
    entry = TRANSPORTS.get(marketo_settings.marketo()["TRANSPORT"])
    return str(marketo_settings.marketo()[entry.endpoint.name]) if entry else ""


def probe_instance(order: ProbeOrder) -> Iterator[ProbeAnswer]:
    """Ask the instance what its API's documentation leaves open.

    Raises:
        ConfigError: there is no such transport, or nothing is left open for this one.
        MarketoError: the instance refuses who asks.
    """
    entry = _entry()
    if entry.probe is None:
        raise ConfigError(f"There is nothing to find out for MARKETO_TRANSPORT={entry.name}.")
    return entry.probe(marketo_settings.marketo(), MemoryStore(), order)


def find_member(transport: str, request: str, response: str, place: int, size: int) -> tuple[str, str]:
    """What a kept call holds of one record, sent and answered; see :class:`TransportEntry`.

    Args:
        transport: which sent it.
        place: of the record in the call, from 1.
        size: how many records it held.
    """
    entry = TRANSPORTS.get(transport)
    return entry.find_member(request, response, place, size) if entry else ("", "")


def verify_signature(transport: str, call: SignedCall) -> SignatureVerdict | None:
    """Whether a kept call was signed as it should have been.

    Args:
        transport: which sent it.

    Returns:
        ``None`` where its calls are not signed.
    """
    entry = TRANSPORTS.get(transport)
    return entry.verify(marketo_settings.marketo(), call) if entry and entry.verify else None


def list_confirmations() -> Sequence[Confirmation]:
    """What the transport in use does only where a person has allowed it."""
    entry = TRANSPORTS.get(marketo_settings.marketo()["TRANSPORT"])
    return entry.confirmations if entry else ()


def missing_settings() -> str:
    """Which settings the transport in use still needs, as a sentence; "" if none."""
    return _entry().missing(marketo_settings.marketo())


def endpoint_is_local() -> bool:
    """Whether records go to this machine. ``ConfigError`` if there is no such transport."""
    return _entry().is_local(marketo_settings.marketo())


def masked(text: str) -> str:
    """A text without the secrets of any transport, as it may be kept and shown."""
    for entry in TRANSPORTS.values():
        text = redact_secrets(text, entry.secrets(marketo_settings.marketo()), entry.masked)
    return text


def facts() -> list[tuple[str, str]]:
    """The settings by label, for people; of a secret only whether it is set."""
    values = marketo_settings.marketo()
    entry = TRANSPORTS.get(values["TRANSPORT"])
    keys = key_fields()
    return [
        (_("Transport"), transport_label()),
        *((each.label, _shown(values[each.name], secret=each.secret)) for each in (entry.settings if entry else ())),
        (_("Opportunity key field"), keys.opportunity or NOT_SET),
        (_("Person key field"), keys.person or NOT_SET),
        (_("Company key field"), keys.company or NOT_SET),
        (_("Time-out"), f"{values['TIMEOUT_SECONDS']} s"),
    ]


def _entry() -> TransportEntry:
    """What the transport that the settings name says about itself."""
    name = marketo_settings.marketo()["TRANSPORT"]
    if name not in TRANSPORTS:
        known = ", ".join(sorted(TRANSPORTS))
        raise ConfigError(_("MARKETO_TRANSPORT is “%(name)s”; it can be: %(known)s.") % {"name": name, "known": known})
    return TRANSPORTS[name]


def _shown(value: object, *, secret: bool) -> str:
    return NOT_SET if not value else _("set") if secret else str(value)
