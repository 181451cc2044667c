"""What outlives a process and both rooms know: the tables, the values that flow between the rooms, the protocol's words.

Nothing here imports `feedgen`, `labeler` or `plainsky`.
"""
