"""Hearing and seeing: samples and pixels in, observations (values of `dramatis.story`) out."""
