"""Opportunities and roles, which Marketo keeps in what its documentation calls the lead database."""
