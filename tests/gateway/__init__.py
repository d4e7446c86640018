"""The gateway, over real sockets, against nodes that do whatever a test says."""
