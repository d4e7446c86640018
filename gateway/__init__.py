"""The SOAP-aware proxy: find the binding, admit, forward, audit."""
