# Gradient norms over the epochs, a panel for each run, a line for each layer from dark (first) to light (last). All
# panels have one range, so that a vanishing gradient is seen beside one that doesn't.
# Table: epoch, then the norm of each layer's weights.
columns = n == 4 ? 2 : least_of(n, 3)
wide = n == 1 ? 800 : n == 2 ? 420 : 330
high = 284
longest = 0
do for [i = 1:n] {
  do for [l = 1:fact('layers', i)] { longest = greatest_of(longest, strlen(fact(sprintf('layer_%d', l), i))) }
}
key_wide = 46 + 9 * longest
step_x = 80 + wide + key_wide
step_y = 112 + high
width = columns * step_x + 10
height = ceiling(n, columns) * step_y + 6
eval open

set xlabel 'epoch'
set logscale y
set format y '10^{%T}'
set yrange [10 ** floor(log10(least('lowest'))):10 ** ceil(log10(greatest('highest')) + 0.01)]
set ytics nice((log10(greatest('highest')) - log10(least('lowest'))) / 8) < 1.5 ? 10 : 100
set mytics 1
set key top left Left reverse samplen 2 spacing 1.1 noenhanced
set palette defined (0 '#3B0F70', 0.35 '#B5367A', 0.7 '#FB8761', 1 '#F0C24B')
unset colorbox

# shade(L, OF): from 0 to 1. In the legend are at most 14 layers, and the last.
shade(l, of) = of < 2 ? 0 : (l - 1.0) / (of - 1)
apart(of) = ceiling(of, 14)
is_named(l, of) = l == of || ((l - 1) % apart(of) == 0 && of - l >= apart(of))
name_of(l) = is_named(l, of) ? fact(sprintf('layer_%d', l), i) : ''
do for [i = 1:n] {
  of = fact('layers', i)
  last = fact('last', i)
  x = 74 + along(i) * step_x
  y = 42 + down(i) * step_y
  eval box(x, y, wide, high)
  set key at screen across(x + wide + 8), up(y - 2)
  set xrange [last > 1 ? 1 : 0.5:last > 1 ? last : 1.5]
  set xtics last <= 10 ? 1 : nice(last / 6)
  set title short('Gradient norm per layer: '.fact('name', i), wide + 60)
  points = fact('rows', i) == 1 ? of : 0
  thick = of > 8 ? 1.3 : 2
  plot for [l = 1:of] table(i) using 1:l + 1 with lines lw thick lc palette frac shade(l, of) title name_of(l), \
    for [l = 1:points] table(i) using 1:l + 1 with points pt 7 lc palette frac shade(l, of)
}
unset multiplot
