"""Reads and checks the folder that a desk is made from."""
