"""Training of front ends: by themselves, with or without an adversary, or with a network."""
