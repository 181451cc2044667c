"""The labeler: signals look at a post, the policy decides, the issuer (the only writer) signs, the stream serves."""
