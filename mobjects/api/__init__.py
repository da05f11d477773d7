"""The API for other programs, under ``/api/v1/``: thin over the functions that the pages use. See docs/api.md.

| module | what is in it |
|---|---|
| `middleware.py` | who asks: a token instead of a session; how often they may |
| `problems.py` | errors as RFC 9457 problem details |
| `service.py` | all addresses, put together; the page that describes them is `description.py` |
| `paging.py` | lists that are read on from a key |
| `records/` | programs, opportunities and roles |
"""
