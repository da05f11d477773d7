"""Figures for the dashboard that cost the same however much there is: kept by day, or counted up to a limit."""
