"""launch/plot: what is wrong with a table is one line that names the file, the line and the column, and nothing is drawn."""

import shutil
from pathlib import Path

from support import ToolTest, write

from lockstep_launch import plot

METRICS = "epoch,train_loss,train_accuracy,test_loss,test_accuracy"
GRID = "x0,x1,predicted,p_a,p_b"
TRIALS = "trial,status,score,score_std,runs,seconds,error"
WRONG = {
    "metrics.csv": [
        ("an empty file, expected a header with epoch,train_loss", []),
        ("no epoch yet, expected a line for each", [METRICS]),
        ("no column test_loss, found 'epoch,train_loss", [METRICS.replace("test_loss", "other"), "1,2,3,4,5"]),
        ("line 3: 4 fields, expected 5", [METRICS, "1,2,3,4,5", "2,3,4,5"]),
        ("line 2: test_loss is 'x', expected a number", [METRICS, "1,2,3,x,5"]),
        ("line 2: test_loss is '1,5', expected a number", [METRICS, '1,2,3,"1,5",5']),
        ("line 2: field larger than field limit", [METRICS, "0" * 200000]),
    ],
    "gradients.csv": [
        ("no column epoch, found 'step,layers.0.weight'", ["step,layers.0.weight", "1,1"]),
        ("no column of a weight, as layers.0.weight", ["epoch,layers.0.bias", "1,1"]),
        ("no epoch yet", ["epoch,layers.0.weight"]),
    ],
    "grid.csv": [
        ("no column output, found 'x0,y'", ["x0,y", "0,1"]),
        ("no columns p_CLASS of two classes or more, found 'x0,x1,class,p0,p1'", ["x0,x1,class,p0,p1", "0,0,0,1,0"]),
        ("no point yet", ["x0,output"]),
        ("line 3: p_b is '', expected a number", [GRID, "0,0,0,1,0", "1,0,0,1,"]),
        ("x1 = 1 has 1 points, expected 2 as before", [GRID, "0,0,0,1,0", "1,0,0,1,0", "0,1,0,1,0"]),
        ("x1 = 1 has 1 points, expected 2", [GRID, "0,0,0,1,0", "1,0,0,1,0", "0,1,0,1,0", "0,2,0,1,0", "1,2,0,1,0"]),
        ("a grid of 2 x 1 points, expected at least 2 x 2", [GRID, "0,0,0,1,0", "1,0,0,1,0"]),
    ],
    "points.csv": [
        ("no column target, found 'x0,split'", ["x0,split", "0,train"]),
        ("line 2: split is 'dev', expected train or test", ["x0,target,split", "0,1,dev"]),
        ("no sample yet", ["x0,target,split"]),
    ],
    "confusion.csv": [
        ("no column actual", ["cat,dog", "cat,1"]),
        ("no class yet", ["actual,cat,dog"]),
        ("1 classes have a line, expected 2", ["actual,cat,dog", "cat,1,2"]),
        ("line 3: actual is 'cow', expected 'dog' as in the header", ["actual,cat,dog", "cat,1,2", "cow,3,4"]),
        ("line 2: dog is 'many', expected a number", ["actual,cat,dog", "cat,1,many", "dog,3,4"]),
        ("line 3: a number that is not a count", ["actual,cat,dog", "cat,1,2", "dog,3,0.5"]),
        ("no sample in any class", ["actual,cat,dog", "cat,0,0", "dog,0,0"]),
    ],
    "trials.csv": [
        ("no column score_std, found 'trial,status,score,runs'", ["trial,status,score,runs", "1,ok,1,1"]),
        ("no trial yet", [TRIALS]),
        ("line 2: status is 'fine', expected ok or failed", [TRIALS, "1,fine,1,0,1,1,"]),
        ("line 2: score is 'best', expected a number", [TRIALS, "1,ok,best,0,1,1,"]),
        ("none of 2 trials has a score", [TRIALS, "1,failed,nan,nan,0,1,diverged", "2,failed,nan,nan,0,1,diverged"]),
        ("line 2: 8 fields, expected 7", [TRIALS, '1,ok,1,0,1,1,"a, b",c']),
    ],
    "weights.ppm": [
        ("not a binary PPM, expected it to begin with", ["P5", "2 2", "255"]),
        ("not a binary PPM", ["P6", "# made up", "2 2", "255"]),
        ("not a binary PPM", ["P6", "2 0", "255"]),
        ("not a binary PPM", ["P6", "2 2", "65535"]),
        ("14 bytes, expected 23 for 2 x 2 pixels", ["P6", "2 2", "255", "12"]),
    ],
}
ACTIVATIONS = [
    ("no point yet", ["x,relu"]),
    ("no column relu_slope beside relu", ["x,relu", "0,0"]),
    ("no column of a function beside x", ["x", "0"]),
]


class WrongTables(ToolTest):
    def test_EachIsNamed(self):
        for file, cases in WRONG.items():
            for pattern, lines in cases:
                with self.subTest(file=file, lines=lines[:3]):
                    shutil.rmtree("run", ignore_errors=True)
                    if file != "trials.csv":
                        write("run/metrics.csv", METRICS, "1,2,0.5,2,0.4")
                    if file == "points.csv":
                        write("run/grid.csv", "x0,output", "0,1", "1,2")
                    write(f"run/{file}", *lines)
                    self.refused(3, f"^run/{file}: {pattern}", plot.main, "run")
                    self.assertEqual([*Path("run").glob("*.svg"), *Path("run").glob("*.png")], [])

    def test_ActivationsToo(self):
        self.refused(3, "^nowhere.csv: no such file", plot.main, "--activations", "nowhere.csv", "-o", "functions")
        for pattern, lines in ACTIVATIONS:
            write("functions.csv", *lines)
            self.refused(3, f"^functions.csv: {pattern}", plot.main, "--activations", "functions.csv", "-o", "functions")

    def test_AFolderIsNotATable(self):
        write("run/metrics.csv", METRICS, "1,2,0.5,2,0.4")
        Path("run/weights.ppm").mkdir()
        self.refused(3, "^run/weights.ppm: not readable, expected a file", plot.main, "run")
        Path("nothing").mkdir()
        self.refused(3, "^nothing/metrics.csv: no such file, expected the metrics of a run .or trials.csv, of a sweep.",
                     plot.main, "nothing")  # fmt: skip
