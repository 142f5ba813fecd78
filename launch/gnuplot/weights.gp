# First-layer weights as images, a panel for each run, every pixel a square of whole points.
# Table: a PPM of w_i x h_i pixels from byte start_i on.
columns = least_of(n, 2)
# As wide as fits; an even number of points for a pixel, as PNG has 1.5 times as many.
scale(i) = greatest_of(2 * (1100 / (2 * columns * fact('w', i))), columns * fact('w', i) > 1100 ? 1 : 2)
array left[n]
array above[n]
width = 0
height = 0
do for [i = 1:n] {
  if (along(i) == 0) {
    x = 16
    y = height + 38
  }
  left[i] = x
  above[i] = y
  x = x + scale(i) * fact('w', i) + 24
  width = greatest_of(width, greatest_of(x - 8, 300))
  height = greatest_of(height, y + scale(i) * fact('h', i) + 16)
}
eval open

unset border
unset tics
unset grid
do for [i = 1:n] {
  w = fact('w', i)
  h = fact('h', i)
  eval box(left[i], above[i], scale(i) * w, scale(i) * h)
  set title short('First-layer weights: '.fact('name', i), greatest_of(scale(i) * w, 270))
  set xrange [-0.5:w - 0.5]
  set yrange [-0.5:h - 0.5]
  plot table(i) binary array=(w, h) skip=fact('start', i) format='%uchar' flipy with rgbimage
}
unset multiplot
