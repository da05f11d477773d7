"""Erasing a person: finding what names them, replacing it by a mark, in all places. docs/retention.md lists these."""
