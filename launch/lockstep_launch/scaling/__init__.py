"""What launch/scaling consists of: command_line and settings say what is to be run, allocation where, launcher runs it, table keeps it,
statistics and report tell what came out; study puts them together."""
