"""assay beside its peers on the same work, in one run, as a ratio: `make bench`."""
