"""Marketo over REST. Nothing outside this folder but the registry knows it."""
