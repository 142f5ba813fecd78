# What models of two inputs say where, a panel for each run: of two classes the probability of the second, with the line
# where it is a half; of more the predicted class. Samples: train filled, test open and smaller.
# Table: x0, x1, probability or class. Points: x0, x1, class, 0 (train) or 1 (test).
columns = n == 4 ? 2 : least_of(n, 3)
classes = greatest('classes')
two = least('classes') == 2
wide = n == 1 ? 560 : 400
# An equal step along both axes, except where one is much the longer; the panels are as high as the highest needs.
tall(i) = wide * (fact('top', i) - fact('bottom', i)) / (fact('right', i) - fact('left', i))
equal(i) = tall(i) > wide / 3.0 && tall(i) < wide * 3.0
high = 0
do for [i = 1:n] { high = greatest_of(high, equal(i) ? least_of(tall(i), 1.5 * wide) : wide) }
step_x = wide + 70
step_y = high + 90
entries = classes + any('train') + any('test') + two
width = greatest_of(columns * step_x + 20 + 80 * two, 620)
height = ceiling(n, columns) * step_y + 12 + legend_height(entries)
left(i) = 62 + along(i) * step_x
above(i) = 38 + down(i) * step_y
eval open

# Classes have their colours, of which the background has a part.
hues = '0x0072B2 0xD55E00 0x009E73 0xCC79A7 0xE69F00 0x56B4E9 0x404040 0xF0E442'
# What a class is called in all panels; its number where they differ.
called(c, i) = fact('classes', i) > c ? fact(sprintf('class_%d', c), i) : ''
first_called(c, i) = called(c, i) eq '' && i < n ? first_called(c, i + 1) : called(c, i)
differs(c) = (sum [i = 1:n] (called(c, i) ne '' && called(c, i) ne first_called(c, 1))) > 0
class_title(c) = differs(c) ? sprintf('class %d', c) : first_called(c, 1)
hue(c) = int(word(hues, int(c) % 8 + 1))
pale(c, unit) = 255 - 0.4 * (255 - hue(c) / unit % 256)
set datafile separator ', ' # contour lines come with blanks
set palette defined (0 '#6FAFD3', 0.35 '#C4DEEC', 0.5 '#FFFFFF', 0.65 '#F9DCC6', 1 '#EFA677')
set cbrange [0:1]
set cbtics 0.25
set cblabel 'p of '.class_title(1) offset -0.5, 0
unset colorbox
set border 15 lc rgb '#707070'
unset grid

# A sample is in the table twice, to be a circle with an edge: under it white and over it coloured, of test the reverse.
# Few samples have bigger ones.
samples(i) = fact('train', i) + fact('test', i)
grown(i) = samples(i) < 50 ? 2 : samples(i) < 250 ? 1.3 : 1
points(i) = samples(i) > 0 ? table(i).'.points' : '/dev/null'
size(split, over) = split > 0 ? (over > 0 ? 0.3 : 0.5) : (over > 0 ? 0.55 : 0.75)
tint(split, over, c) = split == over ? 0xFFFFFF : hue(c)
circles = "using 1:2:(grown(i) * size($4, $5)):(tint($4, $5, $3)) with points pt 7 ps variable lc rgb variable"

do for [i = 1:n] {
  diverging = fact('classes', i) == 2
  if (diverging) {
    set xrange [*:*]
    set yrange [*:*]
    set contour base
    unset surface
    set cntrparam levels discrete 0.5
    set table $half
    splot table(i) using 1:2:3
    unset table
    unset contour
    set surface
    set colorbox user origin across(left(columns) + wide + 20), up(38 + high) \
      size across(16), high / (1.0 * height)
  }
  eval box(left(i), above(i), wide, high)
  if (equal(i)) { set size ratio -1 } else { set size noratio }
  set title short(fact('name', i), wide + 30)
  set xlabel 'x0' offset 0, 0.4
  set ylabel 'x1' offset 1.5, 0
  set xrange [fact('left', i):fact('right', i)]
  set yrange [fact('bottom', i):fact('top', i)]
  if (diverging) {
    plot table(i) using 1:2:3 with image, $half using 1:2 with lines lw 2 lc rgb '#303030', points(i) @circles
    unset colorbox
  } else {
    plot table(i) using 1:2:(pale($3, 65536)):(pale($3, 256)):(pale($3, 1)) with rgbimage, points(i) @circles
  }
}

eval legend(entries, height - legend_height(entries) - 4)
set size noratio
set xrange [0:1]
set yrange [0:1]
plot for [c = 0:classes - 1] NaN with points pt 7 ps 1.4 lc rgb hue(c) title class_title(c), \
  NaN with points pt 7 ps 1 lc rgb '#606060' title any('train') ? 'train' : '', \
  NaN with points pt 6 ps 0.8 lw 1.5 lc rgb '#606060' title any('test') ? 'test' : '', \
  NaN with lines lw 2 lc rgb '#303030' title two ? 'p = 0.5' : ''
unset multiplot
