# Activation functions: x, and for each function f and slope.
BEGIN {
  need = "x"
  item = "point"
}
!functions {
  for (c = 1; c <= width; c++) {
    if (heading[c] == "x" || heading[c] ~ /_slope$/) continue
    if (!((heading[c] "_slope") in column)) problem("no column " heading[c] "_slope beside " heading[c])
    f[++functions] = heading[c]
  }
  if (!functions) problem("no column of a function beside x")
}
{
  line = number("x")
  for (n = 1; n <= functions; n++) line = line "," number(f[n]) "," number(f[n] "_slope")
  keep(line)
}
END {
  write(1000)
  tell("functions", functions)
  for (n = 1; n <= functions; n++) {
    gsub(/_/, " ", f[n])
    tell("function_" n, quoted(f[n]))
  }
}
