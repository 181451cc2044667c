"""From events to stored posts, entries and labels: batch, fold, judge, one transaction, wake (design.md, "The way of one post").

`batching` collects what a source reads, `folding` reduces a batch to what it means (pure), `storing` writes it with the cursor in one
transaction, `rebuilding` judges stored posts again when rules changed, `pruning` forgets what is outside every window.
"""
