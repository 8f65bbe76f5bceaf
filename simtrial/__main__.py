"""The command line as ``python -m simtrial``."""

import sys

from simtrial.cli.start import main

if __name__ == "__main__":
    sys.exit(main())
