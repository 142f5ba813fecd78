# Efficiencies of simulated ranks, a column for each network and way of scaling, a row for each overlap, a colour for each
# interconnect; dashed is what lockstep predict says. Told are `table`, the CSV of launch/simulate curve, and the words
# of `nets` and `networks`.
wide = 300
high = 250
columns = 2 * words(nets)
width = 70 + columns * (wide + 50)
height = 2 * (high + 104) + 60
eval open

set logscale x 2
set yrange [0:1.08]
set ytics 0.2
set format y '%.1f'
set xrange [1:300]
set xtics (1, 4, 16, 64, 256)
chosen(net, mode, overlap, network, c) = strcol(1) eq net && strcol(2) eq network && strcol(3) eq mode \
  && strcol(4) eq overlap ? column(c) : NaN
do for [row = 0:1] {
  overlap = row == 0 ? 'auto' : 'never'
  do for [c = 0:columns - 1] {
    net = word(nets, c / 2 + 1)
    mode = c % 2 == 0 ? 'strong' : 'weak'
    eval box(70 + c * (wide + 50), 40 + row * (high + 104), wide, high)
    set title sprintf('%s, %s%s', net, mode, row == 0 ? '' : ', without overlap')
    set xlabel 'ranks'
    if (c == 0) { set ylabel 'efficiency' } else { unset ylabel }
    plot for [i = 1:words(networks)] table using 5:(chosen(net, mode, overlap, word(networks, i), 8)) \
        with linespoints lw 2 ps 0.8 pt marker(i) lc rgb colour(i), \
      for [i = 1:words(networks)] table using 5:(chosen(net, mode, overlap, word(networks, i), 11)) \
        with lines lw 1.5 dt (4,4) lc rgb colour(i)
  }
}
eval bare
eval box(0.1 * width, height - 50, 0.8 * width, 40)
set key center center horizontal noenhanced maxcols (words(networks) + 1)
unset logscale x
plot [0:1] [0:1] for [i = 1:words(networks)] NaN with linespoints lw 2 pt marker(i) lc rgb colour(i) \
    title word(networks, i).' simulated', \
  NaN with lines lw 1.5 dt (4,4) lc rgb '#505050' title 'lockstep predict'
unset multiplot
