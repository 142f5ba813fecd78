# Activation functions, a panel for each: f solid, its slope dashed. Table: x, then f and slope of each function.
functions = functions_1
columns = least_of(functions, 3)
step_x = 360
step_y = 300
width = columns * step_x + 10
height = ceiling(functions, columns) * step_y + 40
eval open

solid = 'with lines lw 2.5 lc rgb colour(1)'
dashed = 'with lines dt (6,5) lw 2.5 lc rgb colour(2)'
set autoscale xfix
set xzeroaxis lw 1 lt 1 lc rgb '#A0A0A0'
set yzeroaxis lw 1 lt 1 lc rgb '#A0A0A0'
do for [f = 1:functions] {
  eval box(50 + along(f) * step_x, 38 + down(f) * step_y, step_x - 65, step_y - 76)
  set title fact(sprintf('function_%d', f), 1)
  plot table(1) using 1:2 * f @solid, table(1) using 1:2 * f + 1 @dashed
}
eval legend(2, height - 36)
plot [0:1] [0:1] NaN @solid title 'f(x)', NaN @dashed title 'slope'
unset multiplot
