"""Rendered takes: who acts how before which background, their captions, and shards of them."""
