"""Who did what, written down for good.

| module | what is in it |
|---|---|
| `events.py` | the one function that records an event |
| `current_request.py` | who is asking at the moment, and from where; refusals |
| `trace.py` | one id from a click to the answer, for the log; needs no Django |
| `history_tables.py` | which tables are history, what of a row is sealed, and when it is final |
| `digests.py`, `key_set.py` | what of a row is hashed, and how; a set of keys of a bit each |
| `chain.py`, `sealing.py` | a link of the chain; sealing what was committed, beside all writers |
| `guard_triggers.py`, `door.py` | what refuses to change finished history; the one way through |
| `verifying.py`, `anchors.py` | finding the first entry that is not as it was sealed; the chain's end, written out |
| `listeners.py` | signing in and out, and what the admin's own pages change |
"""
