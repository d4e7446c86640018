"""One folder a vendor; each implements contracts over that vendor's tables."""
