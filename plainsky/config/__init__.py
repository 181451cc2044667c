"""The operator's one TOML file as frozen values: `schema` says what may stand in it, `loading` reads it, `errors` says what is wrong.

Promises: every error of a file is told at once, at its TOML path; a secret in the file is refused and never shown; nothing is coerced.
"""
