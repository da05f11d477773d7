"""What the SOAP transport says about itself."""

from __future__ import annotations

import re

from mobjects.marketo.probing import FactsSource
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.soap.config import ENCRYPTION_KEY, ENDPOINT, PARTNER_ID, USER_ID
from mobjects.marketo.soap.envelope import find_member
from mobjects.marketo.soap.signature import verify_signature
from mobjects.marketo.soap.transport import SoapTransport
from mobjects.marketo.transport_entry import Config, TransportEntry
from mobjects.marking import gettext_noop as _


def _open(config: Config, store: SharedStore, facts: FactsSource) -> SoapTransport:
    return SoapTransport(
        endpoint=config[ENDPOINT.name],
        user_id=config[USER_ID.name],
        encryption_key=config[ENCRYPTION_KEY.name],
        partner_id=config[PARTNER_ID.name],
        timeout_seconds=config.get("TEST_SECONDS") or config["TIMEOUT_SECONDS"],
    )


SOAP = TransportEntry(
    name=SoapTransport.name,
    endpoint=ENDPOINT,
    example="https://123-ABC-456.mktoapi.com/soap/mktows/2_7",
    settings=(ENDPOINT, USER_ID, ENCRYPTION_KEY, PARTNER_ID),
    where=_("Marketo shows it under Admin > Web Services (Admin > Integration > SOAP API)."),
    masked=(("requestsignature", re.compile(r"(<(?:[\w.-]+:)?requestSignature\b[^<>]*>)[^<]*")),),
    open=_open,
    find_member=find_member,
    verify=verify_signature,
)
