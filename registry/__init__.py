"""The catalogue of who offers what (UDDI), apart from the health of what is offered."""
