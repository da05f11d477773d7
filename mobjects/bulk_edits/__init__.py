"""One change of many records: what it is, what it would do, doing it, and taking it back."""
