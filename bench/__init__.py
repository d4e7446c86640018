"""Benchmarks and the peers that they run against; docs/performance.md has what came out."""
