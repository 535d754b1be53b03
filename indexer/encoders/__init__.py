"""Encoders: pictures and words to rows of unit-length blocks."""
