"""Editing the records of a list cell by cell."""
