"""`python -m rag.cli` is `adfontes`."""

from rag.cli import main

main()
