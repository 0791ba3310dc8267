"""Widgets that every screen is made of: frame, form, table."""
