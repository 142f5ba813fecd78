"""What tests that start programs share: processes, the files that the program reads and writes, a job's ranks."""
