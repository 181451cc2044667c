"""What an operator did that cannot work. The command line shows the message, without a traceback, and ends with exit code 2."""


class OperatorError(Exception):
    """Bad input from the operator; the message says what, where, and what to do."""
