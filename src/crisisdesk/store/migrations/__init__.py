"""Numbered schema files, NNNN_what.sql, applied in order, each in one transaction."""
