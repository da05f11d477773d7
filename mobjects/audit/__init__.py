"""Who did what, written down for good.

| module | what is in it |
|---|---|
| `events.py` | the one function that records an event |
| `current_request.py` | who is asking at the moment, and from where; refusals |
| `trace.py` | one id from a click to the answer, for the log; needs no Django |
| `listeners.py` | signing in and out, and what the admin's own pages change |
"""
