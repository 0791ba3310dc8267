"""Pure rules: no I/O, no clock, no SQL. What is here can be read aloud to a clinician."""
