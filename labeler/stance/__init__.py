"""What a post does with a claim: asserts, denies, reports or asks it, as a few named numbers that a person understands.

Promises: pure; each number has one small function; words for who people are, and their ways of speaking, count only where the claim has
them too (invariant 12). The numbers are weighed by `models.scorecard`.
"""
