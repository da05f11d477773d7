"""Notices: what happened, who hears of it, and how it gets there. See docs/notices.md."""
