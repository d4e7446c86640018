"""Hostile inputs by step of admission, sent over a real socket to a real gateway."""
