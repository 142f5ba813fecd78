# gradients.csv: epoch, and the gradient norm of each layer's weights.
BEGIN {
  need = "epoch"
  item = "epoch"
}
!layers {
  for (c = 1; c <= width; c++) if (heading[c] ~ /\.weight$/) layer[++layers] = heading[c]
  if (!layers) problem("no column of a weight, as layers.0.weight")
}
{
  line = last = number("epoch")
  for (l = 1; l <= layers; l++) {
    norm = number(layer[l])
    if (norm != "NaN" && norm + 0 <= 0) norm = "NaN" # the axis is logarithmic
    span(norm)
    line = line "," norm
  }
  keep(line)
}
END {
  write(1000)
  tell("last", last)
  tell("layers", layers)
  for (l = 1; l <= layers; l++) {
    sub(/\.weight$/, "", layer[l])
    tell("layer_" l, quoted(layer[l]))
  }
  tell_span()
}
