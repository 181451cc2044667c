"""What feeds know beside the posts: who is on a list, what labelers say, who opted out, what is left of a reset repo."""
