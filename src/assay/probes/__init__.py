"""Probes: what a model is made of. Each is a list of conditions and a way to read the answers; see `assay.probes.probe`."""
