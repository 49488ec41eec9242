"""Rendered people: heads, skin, hair, clothes, and who they are."""
