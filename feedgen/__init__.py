"""The feed generator: rules decide what enters a feed, the skeleton pages serve it, each entry knows its reason."""
