"""Benchmarks on real data: `python -m tests.bench NAME [--data DIR] [--quick]`."""
