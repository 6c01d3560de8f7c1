"""Proving a run: what is wrong in its files, and nothing but looking."""
