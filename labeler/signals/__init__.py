"""What looks at a post for the labeler: one file per signal kind, `kind` in the config is the file's name."""
