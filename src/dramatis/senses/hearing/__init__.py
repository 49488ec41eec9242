"""Hearing: samples in, observations of voices, words, moods and rhythm out."""
