"""`python -m gridhall.cli`, for where the script is not on the path."""

from gridhall.cli import main

if __name__ == "__main__":
    main()
