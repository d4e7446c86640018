"""Contract to WSDL and envelopes. Knows no transport and no adapter."""
