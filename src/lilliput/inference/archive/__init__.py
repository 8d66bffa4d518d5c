"""Prediction over archives of any size: in this process, in several, or on a Ray cluster."""
