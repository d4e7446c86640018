"""Subcommands of ``yilian``, one a file. What is heavy is imported where a command runs."""
