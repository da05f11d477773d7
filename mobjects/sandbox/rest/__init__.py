"""Marketo's REST API and its identity endpoint, on the state that SOAP works on."""
