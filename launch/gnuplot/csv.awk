# What the tables' readers share: `awk -v i=I -f csv.awk -f KIND.awk` checks a table on stdin, writes the numbers of the
# picture to the file that the environment calls `table`, and what else gnuplot is to know to stdout, as assignments to
# NAME_I. A problem is one line on stderr, and exit code 3.
#
# KIND.awk gives `need`, the columns without which it cannot do, and `item`, what a line is about. Its rule for a line
# finds the fields with text() and number(), and hands over what it wants with keep().

function problem(what) {
  print what >"/dev/stderr"
  failed = 1
  exit 3
}

# split_fields(LINE): into field[1], field[2]...; returns how many. In quotes may be commas and doubled quotes.
function split_fields(line,    n, part) {
  sub(/\r$/, "", line)
  if (!index(line, "\"")) return split(line, field, ",")
  for (;;) {
    if (match(line, /^"([^"]|"")*"/)) {
      part = substr(line, 2, RLENGTH - 2)
      gsub(/""/, "\"", part)
    } else {
      match(line, /^[^,]*/)
      part = substr(line, 1, RLENGTH)
    }
    field[++n] = part
    line = substr(line, RLENGTH + 1)
    if (line == "") return n
    line = substr(line, 2)
  }
}

function is_number(value) { return value ~ /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/ }

function text(name) { return field[column[name]] }

# number(NAME): that field; NaN where it is not finite.
function number(name,    value) {
  value = text(name)
  if (is_number(value)) return value
  if (tolower(value) !~ /^[-+]?(nan|inf|infinity)$/)
    problem("line " NR ": " name " is '" value "', expected a number")
  return "NaN"
}

# read_classes(): from the heading's columns p_NAME into class[0], class[1]...; returns how many.
function read_classes(    c, n) {
  for (c = 1; c <= width; c++) {
    if (heading[c] !~ /^p_/) continue
    class[n + 0] = substr(heading[c], 3)
    number_of[class[n + 0]] = n++ + 0
  }
  return n + 0
}

# class_number(NAME): that of the class which that field names.
function class_number(name,    value) {
  value = text(name)
  if (!(value in number_of)) problem("line " NR ": " name " is '" value "', expected a class of the grid's columns p_NAME")
  return number_of[value]
}

function keep(line) { kept[++rows] = line }

# write(MOST): every nth of what was kept, so that they are about MOST at most, and the last.
function write(most,    step, r) {
  step = int((rows + most - 1) / most)
  for (r = 1; r <= rows; r += step) print kept[r] >ENVIRON["table"]
  if (r - step != rows) print kept[rows] >ENVIRON["table"]
  tell("rows", int((rows + step - 1) / step))
}

function tell(name, value) { print name "_" i " = " value }

# quoted(TEXT): as a gnuplot string.
function quoted(value) {
  gsub(/'/, "''", value)
  return "'" value "'"
}

# span(VALUE): into lowest and highest.
function span(value) {
  if (value == "NaN") return
  if (!spanned++) lowest = highest = value + 0
  if (value + 0 < lowest) lowest = value + 0
  if (value + 0 > highest) highest = value + 0
}
function tell_span() {
  tell("lowest", spanned ? lowest : 1)
  tell("highest", spanned ? highest : 1)
}

NR == 1 {
  width = split_fields($0)
  for (c = 1; c <= width; c++) column[heading[c] = field[c]] = c
  wanted = split(need, want, ",")
  for (c = 1; c <= wanted; c++)
    if (!(want[c] in column)) problem("no column " want[c] ", found '" substr($0, 1, 80) "'")
  next
}
!NF { next }
{
  found = split_fields($0)
  if (found != width) problem("line " NR ": " found " fields, expected " width)
}
END {
  if (failed) exit 3
  if (!NR) problem("an empty file, expected a header with " need)
  if (!rows) problem("no " item " yet, expected a line for each")
}
