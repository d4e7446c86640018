"""The revisions, the oldest first by their numbers.

A table or column that is added to the program is added to the newest revision until that is
released, and to a new one afterwards; tests/registry/test_upgrading.py names what is missing.
"""
