# What the pictures share. launch/plot has set: format (svg or png), output (the file to write), n (how many runs are in
# the picture), table(i) (a run's table), name_i, and what KIND.awk told. A picture then sets its width and height, in
# points, and opens itself with `eval open`.
reset
set encoding utf8
set datafile separator ','
set border 3 lc rgb '#707070'
set tics nomirror out
set grid lw 1 lt 1 lc rgb '#E6E6E6'
set title noenhanced
set format '%h'
set key noautotitle
unset key

open = "set terminal svg size width,height font 'sans-serif,15'"
if (format eq 'png') {
  open = "set terminal pngcairo size 1.5*width,1.5*height font 'DejaVu Sans,11'" \
    ." fontscale 1.5 linewidth 1.5 pointscale 1.5"
}
open = open." background 'white'; set output output; set multiplot"

# Fonts smaller than that of all other text, 15.
small = format eq 'png' ? ',9.5' : ',13'
smaller = format eq 'png' ? ',8.8' : ',12'

# box(X, Y, W, H): the commands that put the next panel there, in points from the upper left corner.
across(x) = x / (1.0 * width)
up(y) = 1 - y / (1.0 * height)
box(x, y, w, h) = sprintf('set lmargin at screen %.6f; set rmargin at screen %.6f;', across(x), across(x + w)) \
  .sprintf('set tmargin at screen %.6f; set bmargin at screen %.6f', up(y), up(y + h))
bare = 'unset title; unset xlabel; unset ylabel; unset logscale; unset tics; unset border; unset grid;' \
  .' unset xzeroaxis; unset yzeroaxis; set offsets 0, 0, 0, 0'

# fact(NAME, I): what KIND.awk told of run I; any(NAME): whether that is so for one of them, or all of them.
fact(name, i) = value(sprintf('%s_%d', name, i))
any(name) = (sum [i = 1:n] (fact(name, i) > 0)) > 0
all(name) = (sum [i = 1:n] (fact(name, i) > 0)) == n
greatest_from(name, i, m) = i > n ? m : greatest_from(name, i + 1, fact(name, i) > m ? fact(name, i) : m)
least_from(name, i, m) = i > n ? m : least_from(name, i + 1, fact(name, i) < m ? fact(name, i) : m)
greatest(name) = greatest_from(name, 2, fact(name, 1))
least(name) = least_from(name, 2, fact(name, 1))

# short(TEXT, W): the end of it, if it is wider than W points.
short(text, w) = strlen(text) * 8.5 <= w ? text : '…'.substr(text, strlen(text) - int(w / 8.5) + 2, strlen(text))
widest = 5
do for [i = 1:n] { if (strlen(fact('name', i)) > widest) { widest = strlen(fact('name', i)) } }

least_of(a, b) = a < b ? a : b
greatest_of(a, b) = a > b ? a : b

# nice(X): the next of 1, 2, 5, 10, 20, 50...: a step from tick to tick.
nice_of(x, p) = x <= p ? p : x <= 2 * p ? 2 * p : x <= 5 * p ? 5 * p : 10 * p
nice(x) = nice_of(x, 10 ** floor(log10(x)))

# Panels side by side, `columns` in each row: down(I) and along(I) are where the I-th is, from 0.
ceiling(a, b) = (a + b - 1) / b
down(i) = (i - 1) / columns
along(i) = (i - 1) % columns

# A legend of so many entries has as many columns as its names allow in `width`, and rows of 24 points.
legend_columns(entries) = width / 9.6 / (widest + 11) < 1 ? 1 : int(width / 9.6 / (widest + 11))
legend_height(entries) = 24 * ceiling(entries, legend_columns(entries)) + 6
legend(entries, y) = bare.'; '.box(0.03 * width, y, 0.94 * width, legend_height(entries)) \
  .sprintf('; set key center center horizontal noenhanced maxcols %d', least_of(entries, legend_columns(entries)))

# Colours that stay apart for the colour-blind (Okabe and Ito, 2008, without the yellow), then with other markers.
colours = '#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000'
colour(i) = word(colours, (i - 1) % 7 + 1)
marker(i) = int(word('7 5 9 13 11', (i - 1) / 7 % 5 + 1))
