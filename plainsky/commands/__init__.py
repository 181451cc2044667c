"""The subcommands of the command line, one module each; `plainsky.cli` says what a module offers."""
