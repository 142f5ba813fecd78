# points.csv: the columns of `need` but the last, split, which becomes 0 for train and 1 for test; at most 600 of each.
# Of two inputs each is there twice, with a last column of 0 and then 1. Classes are numbered as in the environment's `grid`.
BEGIN {
  item = "sample"
  getline line <ENVIRON["grid"]
  width = split_fields(line)
  for (c = 1; c <= width; c++) heading[c] = field[c]
  read_classes()
}
{
  split_is = text("split")
  if (split_is != "train" && split_is != "test")
    problem("line " NR ": split is '" split_is "', expected train or test")
  line = ""
  for (c = 1; c < wanted; c++) line = line (want[c] == "class" ? class_number("class") : number(want[c])) ","
  of[++rows] = split_is
  sample[rows] = line (split_is == "test")
  many[split_is]++
}
END {
  for (r = 1; r <= rows; r++) {
    if (done[of[r]]++ % int((many[of[r]] + 599) / 600)) continue
    print sample[r] ("x1" in column ? ",0\n" sample[r] ",1" : "") >ENVIRON["table"]
  }
  tell("train", many["train"] + 0)
  tell("test", many["test"] + 0)
}
