"""Read only: figures, coverage and exports, each with its definition."""
