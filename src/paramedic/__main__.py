"""`python -m paramedic` is `paramedic`."""

from paramedic.cli.main import main

main()
