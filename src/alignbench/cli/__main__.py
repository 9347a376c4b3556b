"""python -m alignbench.cli."""

from alignbench.cli import main

main()
