"""`python -m alignbench.cli`."""

from alignbench.cli import main

if __name__ == "__main__":
    main()
