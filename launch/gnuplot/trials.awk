# trials.csv: a sweep's trials, best first. If a single parameter varies and is a number: it, score, and the ends of the
# error bar. Otherwise of the best 30: rank, score, ends of the error bar, the score as text, trial, what varies.
BEGIN {
  need = "trial,status,score,score_std,runs,seconds,error"
  item = "trial"
}
!rows { for (c = column["runs"] + 1; c < column["seconds"]; c++) parameter[++parameters] = c }
{
  rows++
  status = text("status")
  if (status != "ok" && status != "failed") problem("line " NR ": status is '" status "', expected ok or failed")
  for (p = 1; p <= parameters; p++) {
    value = field[parameter[p]]
    if (rows == 1) first[p] = value
    if (value != first[p]) varies[p] = 1
    if (!is_number(value)) words[p] = 1
  }
  score = number("score")
  if (status == "failed" || score == "NaN") next
  scored++
  span(score)
  at[scored] = score
  deviation[scored] = number("score_std")
  if (deviation[scored] == "NaN") deviation[scored] = 0
  trial[scored] = text("trial")
  for (p = 1; p <= parameters; p++) value_of[scored, p] = field[parameter[p]]
}
END {
  if (!scored) problem("none of " rows " trials has a score, expected one at least")
  for (p = 1; p <= parameters; p++) if (varies[p]) shown[++columns] = p
  curve = columns == 1 && !words[shown[1]]
  # On a logarithmic axis an error bar must not reach 0.
  logarithmic = lowest > 0 && highest > 30 * lowest
  for (s = 1; s <= scored && (curve || s <= 30); s++) {
    low = at[s] - deviation[s]
    if (logarithmic && low < lowest / 3) low = lowest / 3
    ends = at[s] "\t" low "\t" (at[s] + deviation[s])
    if (curve) {
      x = value_of[s, shown[1]]
      print x "\t" ends >ENVIRON["table"]
      if (s == 1 || x + 0 < least + 0) least = x
      if (s == 1 || x + 0 > most + 0) most = x
      continue
    }
    score = sprintf("%.5g", at[s])
    if (deviation[s] > 0) score = score sprintf(" ± %.2g", deviation[s])
    line = s "\t" ends "\t" score "\t" label(trial[s])
    for (c = 1; c <= columns; c++) {
      value = label(value_of[s, shown[c]])
      if (length(value) > widest[c]) widest[c] = length(value)
      line = line "\t" value
    }
    print line >ENVIRON["table"]
  }
  tell("trials", rows)
  tell("scored", scored)
  tell("bars", scored < 30 ? scored : 30)
  tell("curve", curve)
  tell("log_score", logarithmic)
  tell("log_value", curve && least > 0 && most > 20 * least)
  tell("columns", columns + 0)
  for (c = 1; c <= columns; c++) {
    name = heading[parameter[shown[c]]]
    tell("parameter_" c, quoted(name))
    sub(/^.*\./, "", name)
    tell("heading_" c, quoted(name))
    tell("widest_" c, length(name) > widest[c] ? length(name) : widest[c] + 0)
  }
}
# label(TEXT): as gnuplot can read it from a table of tabs, and not too long.
function label(value) {
  gsub(/["\t]/, " ", value)
  if (value == "") return "-"
  return length(value) > 40 ? substr(value, 1, 37) "..." : value
}
