# Confusion matrices, a panel for each run: a row is an actual class, its colour the part that is predicted to be of the
# column's class, with the count in it; at the right the accuracy of the class.
# Table: predicted, actual (from 1), count, percent of the actual class.
columns = least_of(n, 2)
cell = greatest_of(greatest('classes') <= 12 ? 46 : 36, 9 * greatest('digits') + 8)
side = greatest_of(cell * greatest('classes'), 250)
named = greatest_of(8 * greatest('longest'), 20) + 14
# Names along the upper edge are slanted where they have no room.
slanted(i) = 8 * fact('longest', i) > side / fact('classes', i)
over = 84 + ((sum [i = 1:n] slanted(i)) ? int(0.66 * named) : 10)
step_x = named + 30 + side + 80
step_y = over + side + 36
width = columns * step_x + 10
height = ceiling(n, columns) * step_y
eval open

set palette defined (0 '#FFFFFF', 5 '#E3EEF6', 50 '#5BA3CF', 100 '#08427A')
set cbrange [0:100]
unset colorbox
unset grid
set border 15
set style fill solid noborder
set tics scale 0
# word_at(TEXT, X, Y, HOW): the commands that put a word of the picture there, in points.
word_at(text, x, y, how) = sprintf("set label '%s' at screen %.5f, %.5f %s font small tc rgb '#707070'", \
  text, across(x), up(y), how)
do for [i = 1:n] {
  of = fact('classes', i)
  x = named + 30 + along(i) * step_x
  y = over + down(i) * step_y
  eval box(x, y, side, side)
  set xrange [0.5:of + 0.5]
  set yrange [of + 0.5:0.5]
  set x2range [0.5:of + 0.5]
  set y2range [of + 0.5:0.5]
  unset xtics
  set ytics () font small noenhanced
  set x2tics () font small noenhanced
  set y2tics () font small noenhanced
  if (slanted(i)) { set x2tics rotate by 40 left } else { set x2tics norotate center }
  do for [c = 1:of] {
    name = fact(sprintf('class_%d', c), i)
    accuracy = fact(sprintf('accuracy_%d', c), i)
    set ytics add (name c)
    set x2tics add (name c)
    set y2tics add (accuracy >= 0 ? sprintf('%.1f %%%%', accuracy) : '–' c)
  }
  unset label
  percent = 100.0 * fact('right', i) / fact('all', i)
  set label short(sprintf('%s: %.2f %% of %d are right', fact('name', i), percent, fact('all', i)), step_x) \
    at screen across(x + side / 2.0), up(y - over + 24) center noenhanced
  eval word_at('predicted', x + side / 2.0, y - over + 50, 'center')
  eval word_at('actual', 16 + along(i) * step_x, y + side / 2.0, 'center rotate by 90')
  eval word_at('accuracy', x + side + 8, y + side + 18, 'left')
  plot table(i) using 1:2:(0.5):(0.5):4 with boxxyerror lc palette, \
    '' using 1:2:3:($4 > 55 ? 0xFFFFFF : $3 > 0 ? 0x303030 : 0xB8B8B8) with labels font smaller tc rgb variable
}
unset multiplot
