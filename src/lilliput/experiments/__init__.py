"""Whole jobs: a recipe run from clips to a tuned model."""
