"""What launch/bench consists of: peers are libraries and what they compute with, contenders train for seconds, command has them take turns
and tells what came out."""
