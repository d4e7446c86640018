"""``python -m yilian``."""

from yilian.cli import main

main()
