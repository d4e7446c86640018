"""The gateway's configuration: what it may say, what it decides, what is rendered from it."""
