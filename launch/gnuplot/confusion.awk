# confusion.csv: predicted, actual (from 1), count, percent of the actual class; for each class its name and accuracy.
BEGIN {
  need = "actual"
  item = "class"
}
{
  classes = width - 1
  name[++rows] = text("actual")
  if (rows <= classes && name[rows] != heading[rows + 1])
    problem("line " NR ": actual is '" name[rows] "', expected '" heading[rows + 1] "' as in the header")
  sum[rows] = 0
  for (c = 1; c <= classes; c++) {
    count[rows, c] = number(heading[c + 1])
    sum[rows] += count[rows, c]
  }
}
END {
  if (rows != classes) problem(rows " classes have a line, expected " classes " as in the header")
  for (r = 1; r <= rows; r++) {
    for (c = 1; c <= classes; c++)
      print c "," r "," count[r, c] "," (sum[r] ? 100 * count[r, c] / sum[r] : 0) >ENVIRON["table"]
    if (length(name[r]) > longest) longest = length(name[r])
    gsub(/%/, "%%", name[r]) # it becomes the format of a tick
    tell("class_" r, quoted(name[r]))
    tell("accuracy_" r, sum[r] ? 100 * count[r, r] / sum[r] : "NaN")
    right += count[r, r]
    all += sum[r]
    for (c = 1; c <= classes; c++) if (length(count[r, c]) > digits) digits = length(count[r, c])
  }
  if (!all) problem("no sample in any class, expected counts")
  tell("classes", classes)
  tell("longest", longest)
  tell("digits", digits)
  tell("right", right + 0)
  tell("all", all + 0)
}
