"""Onboarding: a database that nobody here prepared for, inspected, checked, explained."""
