"""Figures of merit, as functions of plain arrays: a new measure goes here."""
