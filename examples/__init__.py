"""Short programs on real data; each runs as ``python -m examples.NAME``."""
