"""Claims that fact-checkers rated: read from what they publish, merged into a bank, found again in posts.

`ratings` says what a published verdict means: only what it calls false may ever support a label. `reading` takes ClaimReview and CSV,
`merging` makes one claim of several reports of it, `seed` holds what ships with the project, `matching` finds claims in a post.
"""
