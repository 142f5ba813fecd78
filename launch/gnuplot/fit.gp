# What models of one input say: the target grey, their outputs over it, the training points as dots; below it the error,
# where there is a target. Table: x0, output, target, error. Points: x0, target, 0 (train) or 1 (test).
aimed = any('aimed')
missed = any('missed')
sampled = any('train')
entries = n + aimed + sampled
width = 1100
height = 454 + 246 * missed + legend_height(entries)
eval open

aim(i) = fact('aimed', i) ? table(i) : '/dev/null'
miss(i) = fact('missed', i) ? table(i) : '/dev/null'
points(i) = fact('train', i) > 0 ? table(i).'.points' : '/dev/null'
set autoscale xfix
eval box(84, 38, 990, 340)
set title n == 1 ? short('Output and target: '.name_1, 900) : 'Output and target'
if (!missed) { set xlabel 'x0' }
grey = "with lines lw 7 lc rgb '#C8C8C8'"
dots = "with points pt 7 ps 0.35 lc rgb '#606060'"
plot for [i = 1:n] aim(i) using 1:3 @grey, \
  for [i = 1:n] points(i) using 1:($3 == 0 ? $2 : NaN) @dots, \
  for [i = 1:n] table(i) using 1:2 with lines lw 2 lc rgb colour(i)

if (missed) {
  eval box(84, 448, 990, 178)
  set title 'Error |output − target|'
  set xlabel 'x0'
  set logscale y
  set format y '10^{%T}'
  highest = greatest('highest')
  set yrange [greatest_of(least('lowest'), 1e-5 * highest):*]
  plot for [i = 1:n] miss(i) using 1:4 with lines lw 2 lc rgb colour(i)
}

eval legend(entries, height - legend_height(entries) - 4)
unset logscale
plot [0:1] [0:1] NaN @grey title aimed ? 'target' : '', \
  NaN with points pt 7 ps 0.7 lc rgb '#606060' title sampled ? 'training samples' : '', \
  for [i = 1:n] NaN with lines lw 2 lc rgb colour(i) title fact('name', i)
unset multiplot
