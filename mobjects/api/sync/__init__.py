"""Previews, jobs and schedules."""
