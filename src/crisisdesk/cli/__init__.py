"""The plain twin of each job, for scripts, screen readers and the night shift."""
