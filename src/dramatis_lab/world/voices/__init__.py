"""Synthetic voices: engines, phones, texts and rooms."""
