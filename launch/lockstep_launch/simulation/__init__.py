"""What launch/simulate consists of: command reads the command line, programs runs lockstep and the simulator, exact compares weights,
curve simulates steps."""
