// The networks of the courses reach what their configurations promise, those that take seconds.
#include <gtest/gtest.h>

#include <regex>

#include "files.h"
#include "process.h"
#include "shipped.h"

namespace lockstep::program {
namespace {

// Trains configs/courses/NAME.toml as it is. Returns its metrics.
Table train(const std::string& name, const TemporaryFolder& folder) {
  const Outcome outcome = run({"train", shipped("courses/" + name + ".toml").string(), "--quiet", "--out",
                               "out", "--set", "compute.threads=1"},
                              kOneProcess, in(folder.path(), 55));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return read_csv(folder / "out/metrics.csv");
}

struct Promise {
  std::string configuration;
  double least, most;  // accuracy on the test set
};
void PrintTo(const Promise& promise, std::ostream* out) { *out << promise.configuration; }

class Course : public testing::TestWithParam<Promise> {};
std::string name_of_course(const testing::TestParamInfo<Promise>& info) { return info.param.configuration; }
INSTANTIATE_TEST_SUITE_P(OneProcess, Course,
                         testing::Values(Promise{"circle", 0.97, 1}, Promise{"xor", 0.97, 1},
                                         Promise{"gaussian_mse", 0.98, 1}, Promise{"spiral", 0.95, 1},
                                         Promise{"ex4_classifier", 0.95, 1}, Promise{"flower", 0.87, 0.95},
                                         Promise{"flower_logistic", 0.40, 0.55}),
                         name_of_course);

TEST_P(Course, ReachesItsAccuracy) {
  const TemporaryFolder folder;
  const Table metrics = train(GetParam().configuration, folder);
  const double accuracy = metrics.number(metrics.rows.size() - 1, "test_accuracy");
  EXPECT_GE(accuracy, GetParam().least);
  EXPECT_LE(accuracy, GetParam().most);
}

class Approximation : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(OneProcess, Approximation, testing::Values("function_sine", "function_kink"),
                         [](const auto& test) { return test.param; });

TEST_P(Approximation, IsWithinAHundredthOnBothSets) {
  const TemporaryFolder folder;
  train(GetParam(), folder);
  const Outcome outcome = run({"eval", "out"}, kOneProcess, in(folder.path()));
  const std::regex form("(train|test ) +loss [^ ]+  largest error ([0-9.e-]+)  \\(200 samples\\)\n");
  int sets = 0;
  for (std::sregex_iterator set(outcome.out.begin(), outcome.out.end(), form), end; set != end; ++set) {
    EXPECT_LT(std::stod((*set)[2]), 0.01) << outcome.out;
    EXPECT_GT(std::stod((*set)[2]), 0.0) << outcome.out;
    ++sets;
  }
  EXPECT_EQ(sets, 2) << outcome.out;
}

}  // namespace
}  // namespace lockstep::program
