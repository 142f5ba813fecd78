# grid.csv of two inputs: x0, x1 and, of two classes, the probability of the second; of more, the predicted class. A
# blank line between scan lines, as gnuplot has them.
BEGIN {
  need = "x0,x1,class,p0,p1"
  item = "point"
}
!classes { while (("p" classes + 0) in column) classes++ }
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
    value = number("p1")
    if (value != "NaN") value = value < 0 ? 0 : value > 1 ? 1 : value
  } else {
    value = number("class")
  }
  keep(x "," y "," value)
}
END {
  if (lines == 1) across = points
  if (points != across) problem("x1 = " last " has " points " points, expected " across " as before")
  if (lines < 2 || across < 2) problem("a grid of " across " x " lines " points, expected at least 2 x 2")
  write(rows)
  tell("classes", classes)
  tell("left", left)
  tell("right", right)
  tell("bottom", bottom < last ? bottom : last)
  tell("top", bottom < last ? last : bottom)
}
