"""Composition root: configuration, host, command line, demo. Nothing imports it."""
