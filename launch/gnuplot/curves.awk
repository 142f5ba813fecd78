# metrics.csv: epoch, loss (train, test), accuracy (train, test). A regression has no accuracy, and there may be no test
# set: those are NaN.
BEGIN {
  need = "epoch,train_loss,train_accuracy,test_loss,test_accuracy"
  item = "epoch"
}
{
  last = number("epoch")
  train = number("train_loss")
  test = number("test_loss")
  accuracies = number("train_accuracy") "," number("test_accuracy")
  span(train)
  span(test)
  if (test != "NaN") tested = 1
  if (accuracies != "NaN,NaN") classified = 1
  keep(last "," train "," test "," accuracies)
}
END {
  write(1000)
  tell("last", last)
  tell("tested", tested + 0)
  tell("classified", classified + 0)
  tell_span()
}
