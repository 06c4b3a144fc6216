"""The real data sets that come with the package, packed by the programs in `tools/`."""

from assay.data.bundled.load import load, names, splits

__all__ = ["load", "names", "splits"]
