# grid.csv of two inputs: x0, x1 and, of two classes, the probability of the second; of more, the number of the predicted
# class. A blank line between scan lines, as gnuplot has them.
BEGIN {
  need = "x0,x1,predicted"
  item = "point"
}
!classes {
  classes = read_classes()
  if (classes < 2) problem("columns of " classes + 0 " classes (p_NAME), expected at least 2")
}
{
  x = number("x0")
  y = number("x1")
  if (lines && y + 0 == last) {
    points++
  } else {
    if (lines > 1 && points != across) problem("x1 = " last " has " points " points, expected " across " as before")
    if (lines == 1) across = points
    points = 1
    if (lines++) keep("")
    last = y + 0
  }
  if (!rows) {
    left = right = x
    bottom = y
  }
  if (x + 0 < left + 0) left = x
  if (x + 0 > right + 0) right = x
  if (classes == 2) {
    value = number("p_" class[1])
    if (value != "NaN") value = value < 0 ? 0 : value > 1 ? 1 : value
  } else {
    value = class_number("predicted")
  }
  keep(x "," y "," value)
}
END {
  if (lines == 1) across = points
  if (points != across) problem("x1 = " last " has " points " points, expected " across " as before")
  if (lines < 2 || across < 2) problem("a grid of " across " x " lines " points, expected at least 2 x 2")
  write(rows)
  tell("classes", classes)
  for (c = 0; c < classes; c++) tell("class_" c, quoted(class[c] ~ /^[0-9]+$/ ? "class " class[c] : class[c]))
  tell("left", left)
  tell("right", right)
  tell("bottom", bottom < last ? bottom : last)
  tell("top", bottom < last ? last : bottom)
}
