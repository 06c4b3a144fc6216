"""The steps that pack the emoji data set from published packages; `tools/build_emoji.py` runs them."""
