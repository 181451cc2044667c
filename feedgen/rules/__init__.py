"""The rule kinds: one file each; `kind` in the config is the file's name, the fields of the file's `Rule` are the TOML keys."""
