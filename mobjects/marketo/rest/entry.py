"""What the REST transport says about itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mobjects.marketo.probing import FactsSource, ProbeAnswer, ProbeOrder
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.config import ASSET_SECONDS, CLIENT_ID, CLIENT_SECRET, ENDPOINT, RestSettings
from mobjects.marketo.rest.lead_database.kept_calls import find_member
from mobjects.marketo.rest.probe import RestProbe
from mobjects.marketo.rest.programs.program_facts import TAGS_BY_LIST
from mobjects.marketo.rest.traits import REST_TRAITS
from mobjects.marketo.rest.transport import RestTransport
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.transport_entry import Config, TransportEntry
from mobjects.marking import gettext_noop as _


def _open(config: Config, store: SharedStore, facts: FactsSource) -> RestTransport:
    return RestTransport(RestSettings.from_config(config), store, facts=facts)


def _probe(config: Config, store: SharedStore, order: ProbeOrder) -> Iterator[ProbeAnswer]:
    return RestProbe(RestCalls(RestSettings.from_config(config), store), order).ask_all()


REST = TransportEntry(
    name=RestTransport.name,
    endpoint=ENDPOINT,
    example="https://123-ABC-456.mktorest.com/rest",
    settings=(ENDPOINT, CLIENT_ID, CLIENT_SECRET),
    where=_("Marketo shows the endpoint under Admin > Web Services, client ID and secret under Admin > LaunchPoint."),
    masked=(
        ("authorization", re.compile(r"(?i)(authorization:\s*Bearer\s+)\S+")),
        ("access_token", re.compile(r'("access_token"\s*:\s*")[^"]*')),
        ("client_secret", re.compile(r"(client_secret=)[^&\s\"]+")),
        ("access_token", re.compile(r"(access_token=)[^&\s\"]+")),
    ),
    open=_open,
    traits=REST_TRAITS,
    answer_seconds=int(ASSET_SECONDS),
    look_up_seconds=int(ASSET_SECONDS) + 50,
    confirmations=(TAGS_BY_LIST,),
    probe=_probe,
    find_member=find_member,
)
