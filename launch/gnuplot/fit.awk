# grid.csv of one input: x0, output, target and the error, the latter two NaN where there is no target.
BEGIN {
  need = "x0,output"
  item = "point"
}
{
  output = number("output")
  target = "target" in column ? number("target") : "NaN"
  error = "NaN"
  if (output != "NaN" && target != "NaN" && output - target != 0) {
    error = output - target
    if (error < 0) error = -error
  }
  span(error)
  keep(number("x0") "," output "," target "," error)
}
END {
  write(1000)
  tell("aimed", ("target" in column))
  tell("missed", spanned + 0)
  tell_span()
}
