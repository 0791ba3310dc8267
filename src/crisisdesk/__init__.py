"""CrisisDesk: the call desk of a hospital group whose systems are down."""

__version__ = "0.1.0"
