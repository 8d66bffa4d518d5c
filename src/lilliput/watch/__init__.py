"""Untrimmed footage: who did what, when and where (see ``pipeline.py`` for the whole way)."""
