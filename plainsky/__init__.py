"""The front door: command line, config, wiring, ingest, the pipeline and scheduled jobs. The only code that knows every room."""

__version__ = "0.1.0"
