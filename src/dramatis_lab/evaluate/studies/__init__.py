"""Measurements outside the table of results, each with a command of its own."""
