# Loss and accuracy over the epochs: train dashed, test solid, a colour for each run. Of regressions the loss alone.
# Table: epoch, train and test loss, train and test accuracy.
width = 1100
entries = n + 2 * any('tested')
height = 386 + legend_height(entries)
eval open

# A single epoch is a point (open: train), up to ten have a tick each, and about twenty of a curve's points a mark.
most = greatest('rows')
dashed = any('tested') ? 'lines dt (6,5) lw 2' : 'lines lw 2'
solid = 'lines lw 2'
size = 0.5
every = (most + 19) / 20
last = greatest('last')
set xtics last <= 10 ? 1 : nice(last / 8)
if (most == 1) {
  set offsets 0.5, 0.5
  dashed = 'points ps 1.2 pt 6'
  solid = 'points ps 1.2 pt 7'
  size = 1.2
}
train = most == 1 ? 'with points ps 1.2 pt marker(i)-1 lc rgb colour(i)' : 'with @dashed lc rgb colour(i)'
test = "with linespoints pointinterval every lw 2 lc rgb colour(i) ps size pt marker(i)"

set xlabel 'epoch'
set autoscale xfix
classified = any('classified')
if (!classified && least('lowest') > 0 && greatest('highest') > 30 * least('lowest')) {
  set logscale y
  set format y '10^{%T}'
}
tested(i) = fact('tested', i) ? table(i) : '/dev/null'

eval box(66, 38, classified ? 451 : 1001, 284)
set title 'Loss'
plot for [i = 1:n] table(i) using 1:2 @train, for [i = 1:n] tested(i) using 1:3 @test
if (classified) {
  eval box(616, 38, 451, 284)
  set title 'Accuracy (%)'
  plot for [i = 1:n] table(i) using 1:(100 * $4) @train, for [i = 1:n] tested(i) using 1:(100 * $5) @test
}

eval legend(entries, 380)
plot [0:1] [0:1] for [i = 1:n] NaN with linespoints lw 2 lc rgb colour(i) ps size pt marker(i) title fact('name', i), \
  NaN with @dashed lc rgb '#505050' title any('tested') ? 'train' : '', \
  NaN with @solid lc rgb '#505050' title any('tested') ? 'test' : ''
unset multiplot
