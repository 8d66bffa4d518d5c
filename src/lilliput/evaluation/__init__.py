"""Scores on a split, thresholds, reports and challenge submissions (sections 3.4, 3.5, 4.1.3)."""
