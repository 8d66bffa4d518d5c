"""Pixels: decoding (the only door to PyAV), clip sampling and transforms."""
