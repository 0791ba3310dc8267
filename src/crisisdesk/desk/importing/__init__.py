"""Lists in: read, conclude, compare, stage, publish, report. One file goes in whole or not at all."""
