"""``python -m wholedose``."""

from wholedose.cli import main

main()
