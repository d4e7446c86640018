"""The registry page."""
