"""Other ways to serve getlabmaster, written for bench/host.py: the same five rows, joined in
every call as our node does."""
