"""``python -m mpegclient check URL``: shows a stream at work."""

import sys

from .check import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
