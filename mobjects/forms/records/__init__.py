"""The forms of records, of their costs and tags: all rules of what may be saved, for the pages and the API."""
