"""The demo: two hospitals, a registry and a gateway as separate processes, and the SOA verbs."""
