"""Ours and peers in turn, in one run: what the project's claims about speed rest on.

``make benchmark`` runs every topic and writes ``results.md`` with the figures behind it.
"""
