"""Seeing: pixels in, people, faces and what they look like out."""
