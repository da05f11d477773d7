"""Marketo's SOAP API behind the transport contract."""
