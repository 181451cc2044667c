"""Another config while running: deciding by it, switching to it, and the log of what changed."""
