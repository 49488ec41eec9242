"""Families of video models behind one interface: their networks, profiles, and what they cost."""
