"""Imports: uploading a file, what it means, writing it, what could not be written."""
