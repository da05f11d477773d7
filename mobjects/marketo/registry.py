"""The transports there are: the only module that names an implementation."""

from __future__ import annotations

from mobjects.marketo.rest.entry import REST
from mobjects.marketo.soap.entry import SOAP

TRANSPORTS = {entry.name: entry for entry in (REST, SOAP)}
DEFAULT = REST.name
"""Used where ``MARKETO_TRANSPORT`` is not set."""
