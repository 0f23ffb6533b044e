"""`python -m procmon`."""

from procmon.cli import main

if __name__ == "__main__":
    main()
