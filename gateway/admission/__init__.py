"""Admission: what a call has to pass before it is forwarded, one concern a file."""
