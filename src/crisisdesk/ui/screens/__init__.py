"""One screen, one task, one module. The application imports a screen when it is first opened."""
