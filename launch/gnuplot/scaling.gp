# How training scales: speed-up and efficiency over ranks x threads, a colour for each number of threads, with bars for
# the intervals and hollow marks for points with more threads than cores; and where an epoch's time goes at each point.
# Beside what style.gp names, told are: `workers`, the values of ranks x threads; `base` and `most`, the least and the
# largest that scale; `lowest` and `highest`, the ends of all speed-ups; bar_count, any_crowded, weak; `efficient`, the highest end of an efficiency; `statement`, on the weights, and whether they are `wrong`.
# predicted(I): workers, speed-up by lockstep predict; any_predicted: whether there is one.
# table(I), crowded(I): workers, speed-up and its ends, efficiency in percent and its ends.
# bars: label, percent of compute, wait, transfer and rest, seconds, whether crowded.
start = 80
wide = 330
high = 300
top = 44
shares = greatest_of(wide, 60 * bar_count)
width = start + wide + 86 + wide + 86 + shares + 24
below = top + high + 68
height = below + 48 + 48
eval open

hollow(i) = marker(i) - 1
joined = "with linespoints lw 2 ps 0.9 pt marker(i) lc rgb colour(i)"
error = "with yerrorbars lw 1.4 ps 0.9 pt marker(i) lc rgb colour(i)"
ring = "with points lw 1.6 ps 1.1 pt hollow(i) lc rgb colour(i)"
foretold = "with points lw 1.8 ps 1.5 pt 1 lc rgb '#303030'"
ideal = "with lines lw 1.5 dt (6,5) lc rgb '#909090'"

set logscale x 2
set xrange [word(workers, 1) / 1.2:word(workers, words(workers)) * 1.2]
set xtics ()
do for [w = 1:words(workers)] { set xtics add (word(workers, w) word(workers, w) + 0) }
set xlabel 'ranks × threads'
far = most > base ? most : 1.001 * base # a range needs two ends

eval box(start, top, wide, high)
set title weak ? 'Scaled speed-up' : 'Speed-up'
set logscale y 2
set format y '%.4g'
set yrange [lowest / 1.15:highest * 1.15]
plot sample [base:far] '+' using 1:($1 / base) @ideal, \
  for [i = 1:n] [*:*] table(i) using 1:2 @joined, \
  for [i = 1:n] [*:*] table(i) using 1:2:3:4 @error, \
  for [i = 1:n] [*:*] crowded(i) using 1:2 @ring, \
  for [i = 1:n] [*:*] predicted(i) using 1:2 @foretold
unset logscale y
set format '%h'

eval box(start + wide + 86, top, wide, high)
set title 'Efficiency (%)'
set yrange [0:greatest_of(112, 1.05 * efficient)]
plot sample [base:far] '+' using 1:(100) @ideal, \
  for [i = 1:n] [*:*] table(i) using 1:5 @joined, \
  for [i = 1:n] [*:*] table(i) using 1:5:6:7 @error
unset logscale x

eval box(start + 2 * (wide + 86), top, shares, high)
set title 'Where an epoch goes (%)'
set xlabel 'ranks × threads of each'
set xrange [0.4:bar_count + 0.6]
set yrange [0:112]
set xtics () scale 0
set ytics 0, 20, 100
set grid noxtics ytics
tint = '#009E73 #E69F00 #CC79A7 #B8B8B8'
part(p) = word('compute wait transfer rest', p)
bottom(p) = p == 1 ? 0 : bottom(p - 1) + column(p)
piece(p) = bottom(p) + column(p + 1)
here(c) = column(7) == c ? column(0) + 1 : NaN
plot for [p = 1:4] bars using (here(0)):(bottom(p)):(here(0) - 0.36):(here(0) + 0.36):(bottom(p)):(piece(p)) \
    with boxxyerror fs solid 0.9 noborder lc rgb word(tint, p), \
  for [p = 1:4] bars using (here(1)):(bottom(p)):(here(1) - 0.36):(here(1) + 0.36):(bottom(p)):(piece(p)) \
    with boxxyerror fs solid 0.3 noborder lc rgb word(tint, p), \
  bars using ($0 + 1):(106):(sprintf('%.3g s', $6)):xtic(1) with labels font smaller

# Legends below what they explain, and the verdict on the weights.
eval bare
set xrange [0:1]
set yrange [0:1]
eval box(start, below, 2 * wide + 86, 48)
set key center center horizontal noenhanced maxcols (n + 1 + any_crowded + any_predicted) samplen 2.5
plot for [i = 1:n] NaN @joined title fact('name', i), \
  NaN @ideal title 'ideal', \
  for [i = 1:any_predicted] NaN @foretold title 'predicted', \
  for [i = 1:any_crowded] NaN with points lw 1.6 ps 1.1 pt hollow(1) lc rgb '#505050' title 'more threads than cores'
eval box(start + 2 * (wide + 86), below, shares, 48)
set key maxcols 4 samplen 1.2
plot for [p = 1:4] NaN with boxes fs solid 0.9 noborder lc rgb word(tint, p) title part(p)
unset key
set label statement at screen 0.5, screen up(height - 22) center noenhanced font small tc rgb wrong ? '#D00000' : '#404040'
plot NaN
unset multiplot
