"""`python -m plainsky`."""

import sys

from plainsky.cli import main

if __name__ == "__main__":
    sys.exit(main())
