"""`python -m server` is the command `lendwire`."""

from __future__ import annotations

import sys

from server.cli import main

sys.exit(main())
