"""The route, policy and gate model of the gateway. Imports nothing of ours."""
