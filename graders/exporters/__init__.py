"""Scores in the formats of other platforms: one module a platform, pure functions from `kata.score/v1` to text or plain data."""
