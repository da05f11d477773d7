"""Measurements. Nothing here is installed or imported by the app."""
