# The scores of sweeps, one below the other, with their standard deviations; the best is orange. Where one parameter
# varies, a number: the score against it. Otherwise a row for each of the best trials, with the parameters that vary.
# Table, of tabs: value, score, ends of its bar; or rank, score, ends of its bar, score as text, trial, what varies.
set datafile separator tab
array above[n]
row = 24
wide = 440
high(i) = fact('curve', i) ? 300 : row * (fact('bars', i) + 1)
# column_at(I, C): where the column of the C-th parameter begins; the one after the last is the chart's.
column_at(i, c) = 84 + (sum [p = 1:c - 1] (8 * fact(sprintf('widest_%d', p), i) + 24))
width = 0
height = 0
do for [i = 1:n] {
  above[i] = height + 44
  width = greatest_of(width, fact('curve', i) ? 800 : column_at(i, fact('columns', i) + 1) + wide + 190)
  height = above[i] + high(i) + 70
}
eval open

tell_failed(failed) = failed ? sprintf(', %d failed', failed) : ''
tint(rank) = rank == 1 ? 0xD55E00 : 0x0072B2
bar = "lw 1.5 pt 7 ps 0.8 lc rgb variable"
do for [i = 1:n] {
  trials = fact('trials', i)
  bars = fact('bars', i)
  every_one = fact('curve', i) || bars == fact('scored', i)
  shown = (every_one ? '' : sprintf('best %d of ', bars)).sprintf('%d trial%s', trials, trials == 1 ? '' : 's')
  heading = short(fact('name', i), 300).': '.shown.tell_failed(trials - fact('scored', i))
  set border 3
  set xrange [*:*]
  set yrange [*:*]
  if (fact('curve', i)) {
    eval box(90, above[i], width - 120, high(i))
    set title heading noenhanced
    set xlabel fact('parameter_1', i) noenhanced
    set ylabel 'score'
    set tics nomirror out
    set offsets graph 0.03, graph 0.03, graph 0.03, graph 0.03
    if (fact('log_value', i)) { set logscale x; set format x '%g' }
    if (fact('log_score', i)) { set logscale y; set format y '%g' }
    plot table(i) using 1:2 smooth unique with lines lw 1 lc rgb '#B0B0B0', \
      table(i) using 1:2:3:4:(tint($0 + 1)) with yerrorbars @bar
    unset logscale
    set format '%h'
    set offsets 0, 0, 0, 0
    unset ylabel
  } else {
    columns = fact('columns', i)
    eval box(0, above[i], width, high(i))
    unset border
    unset tics
    unset grid
    unset xlabel
    set title heading noenhanced
    set xrange [0:width]
    set yrange [bars + 0.5:-0.5]
    set label 'trial' at 24, 0 font small tc rgb '#707070'
    do for [c = 1:columns] {
      set label fact(sprintf('heading_%d', c), i) at column_at(i, c), 0 font small tc rgb '#707070' noenhanced
    }
    chart = column_at(i, columns + 1)
    plot table(i) using (24):1:(stringcolumn(6)) with labels left font small noenhanced, \
      for [c = 1:columns] \
        table(i) using (column_at(i, c)):1:(stringcolumn(6 + c)) with labels left font small noenhanced, \
      table(i) using (chart + wide + 24):1:(stringcolumn(5)) with labels left font small noenhanced
    unset label
    unset title
    eval box(chart, above[i], wide, high(i))
    set border 1
    set xtics nomirror out
    set grid x lw 1 lt 1 lc rgb '#E6E6E6'
    set xlabel 'score'
    set xrange [*:*]
    set offsets graph 0.03, graph 0.03, 0, 0
    if (fact('log_score', i)) { set logscale x; set format x '%g'; set autoscale xfix }
    plot table(i) using 2:1:3:4:(tint($1)) with xerrorbars @bar
    unset logscale
    set format '%h'
    set offsets 0, 0, 0, 0
  }
}
unset multiplot
