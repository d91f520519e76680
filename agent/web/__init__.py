"""The HTTP interface, on a Unix socket for the command line and on loopback for programs."""
