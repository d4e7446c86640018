"""UDDI on the wire."""
