"""Hearing: samples in, observations of voices, words, mood and rhythm out."""
