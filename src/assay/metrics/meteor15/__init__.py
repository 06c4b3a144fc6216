"""METEOR 1.5 without Java: tables, normalisation, stems, candidate matches, alignment, score; see `score`."""
