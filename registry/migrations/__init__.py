"""How the registry's tables came to be, one revision a file; run by registry.upgrading."""
