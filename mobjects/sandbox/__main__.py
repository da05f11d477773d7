"""``python -m mobjects.sandbox``."""

from mobjects.sandbox.cli import main

raise SystemExit(main())
