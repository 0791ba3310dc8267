"""The screens. Nothing here imports the store; everything goes through ui/backend.py."""
