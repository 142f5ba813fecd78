// lockstep gradcheck: every activation, loss and layer has the derivative that the differences of its loss
// say, and an error above the tolerance is the exit code.
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

struct Network {
  std::string name;
  Words settings;  // of run.toml, points of the plane
};
void PrintTo(const Network& network, std::ostream* out) { *out << network.name; }

Outcome check(const TemporaryFolder& folder, const Words& settings, int ranks, const Words& more = {}) {
  write_planar_config(folder.path());
  Words words = {"gradcheck", "run.toml"};
  for (const std::string& setting : settings) {
    if (setting.starts_with("model.layers=")) write_planar_config(folder.path(), "");
    words.insert(words.end(), {"--set", setting});
  }
  words.insert(words.end(), more.begin(), more.end());
  return run(words, ranks, in(folder.path()));
}

// Without its first line, which names the number of ranks.
std::string table(const Outcome& outcome) { return outcome.out.substr(outcome.out.find('\n') + 1); }

class GradientCheck : public testing::TestWithParam<Network> {};

const std::string kAfterHidden = "model.hidden=[6,5]";
const std::string kWithoutBias =
    R"(model.layers=[{units=5,bias=false,init='normal(1)'},{type="tanh"},{bias=false}])";
const std::string kEveryType =
    R"(model.layers=[{units=6},{type="sigmoid"},{units=5},{type="relu"},{units=6},{type="tanh"},{units=4},)"
    R"({type="leaky_relu"},{units=5},{type="elu"},{type="dropout",rate=0.1},{type="identity"},{}])";
const std::string kWithDropout =
    R"(model.layers=[{units=9},{type="tanh"},{type="dropout",rate=0.4},{units=7},{type="elu"},)"
    R"({type="dropout",rate=0.2},{type="dense"}])";

std::vector<Network> networks() {
  std::vector<Network> all = {
      {"CrossEntropy", {"model.loss=cross_entropy"}},
      {"BinaryCrossEntropy", {"model.loss=binary_cross_entropy"}},
      {"Mse", {"model.loss=mse"}},
      {"HalfMse", {"model.loss=half_mse"}},
      {"MseOfOneSigmoidOutput", {"model.loss=mse", "model.outputs=1", "model.output_activation=sigmoid"}},
      {"HalfMseOfTwoTanhOutputs", {"model.loss=half_mse", "model.output_activation=tanh"}},
      {"MseOfValues", {"data.dataset=function", "model.loss=mse"}},
      {"NoHiddenLayer", {"model.hidden=[]"}},
      {"NoBias", {kWithoutBias}},
      {"WeightsThatStartWide", {"model.init=normal(2)", "model.bias_init=uniform(1)"}},
      {"L2WhichIsNotPartOfIt", {"train.l2=0.5"}},
      {"LayersOfEveryType", {kEveryType}},
      {"DropoutRate", {kAfterHidden, "model.dropout=0.3"}},
      {"DropoutLayers", {kWithDropout}},
  };
  for (const std::string type : {"sigmoid", "tanh", "relu", "leaky_relu", "elu", "identity"})
    all.push_back({"Activation_" + type, {kAfterHidden, "model.activation=" + type}});
  all.push_back({"SteepLeakyRelu", {"model.activation=leaky_relu", "model.leaky_slope=0.7"}});
  all.push_back({"ElusOfAnotherAlpha", {"model.activation=elu", "model.elu_alpha=2.5"}});
  return all;
}
std::string name_of_network(const testing::TestParamInfo<Network>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(OneProcess, GradientCheck, testing::ValuesIn(networks()), name_of_network);

TEST_P(GradientCheck, Passes) {
  const TemporaryFolder folder;
  const Outcome outcome = check(folder, GetParam().settings, kOneProcess);
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("the backward pass is the derivative of the loss\n"), std::string::npos)
      << outcome.out;
  EXPECT_EQ(outcome.out.find("FAIL"), std::string::npos) << outcome.out;
}

// The exact reduction makes even the last digit of the errors the same.
TEST(ThreeRanks, HaveTheGradientCheckOfOneProcess) {
  const TemporaryFolder folder;
  for (const Words& settings : std::vector<Words>{{"model.loss=binary_cross_entropy"},
                                                  {"data.dataset=function", "model.loss=mse"},
                                                  {kWithoutBias},
                                                  {kEveryType},
                                                  {kWithDropout}}) {
    const Outcome three = check(folder, settings, 3);
    EXPECT_EQ(three.code, 0) << three.out << three.err;
    EXPECT_EQ(table(three), table(check(folder, settings, kOneProcess))) << settings.front();
  }
}

class GradientCheckOf : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(OneProcess, GradientCheckOf, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, GradientCheckOf, testing::Values(3));

TEST_P(GradientCheckOf, ATensorHasALine) {
  const TemporaryFolder folder;
  const Outcome outcome = check(folder, {"model.hidden=[5]"}, GetParam(), {"--elements", "4"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::string lines = "tensor +elements +worst error +at +backward +difference\n";
  for (const std::string tensor :
       {"layers.0.weight +4", "layers.0.bias +4", "layers.1.weight +4", "layers.1.bias +2"})
    lines += tensor + " +[0-9.e-]+ +\\[[0-9, ]+\\] +[0-9.e-]+ +[0-9.e-]+  pass\n";
  EXPECT_TRUE(std::regex_match(table(outcome), std::regex(lines + "the backward pass is .*\n")))
      << outcome.out;
}

TEST_P(GradientCheckOf, AnImpossibleToleranceFails) {
  const TemporaryFolder folder;
  const Outcome outcome = check(folder, {}, GetParam(), {"--tolerance", "1e-12"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("FAIL"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("not the derivative of the loss: an error is above 1e-12\n"), std::string::npos)
      << outcome.out;
}

// A regression on a line, x from -1 to 1 times `feature`, values up to `target`.
Outcome check_regression(double feature, double target, const Words& settings, int ranks) {
  const TemporaryFolder folder;
  std::ostringstream rows;
  for (int i = 0; i < 40; ++i) {
    const double x = i / 20.0 - 0.976;
    rows << x * feature << "," << (x * x - 0.4) * target << "\n";
  }
  write_text(folder / "line.csv", rows.str());
  write_text(folder / "run.toml",
             "[data]\ndataset = \"csv\"\nfile = \"line.csv\"\ntask = \"regression\"\nnormalize = \"none\"\n"
             "shards = 4\n[train]\nbatch_size = 40\n[model]\nloss = \"mse\"\nhidden = [6]\n"
             "bias_init = \"normal(0.1)\"\n");
  Words words = {"gradcheck", "run.toml", "--samples", "40"};
  for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
  return run(words, ranks, in(folder.path()));
}

TEST_P(GradientCheckOf, FeaturesTargetsAndWeightsOfAnySizePasses) {
  for (const auto& [feature, target] : {std::pair(1.0, 1e5),
                                        {1.0, 9e5},
                                        {30.0, 1.0},
                                        {1e3, 1e5},
                                        {1e6, 1.0},
                                        {1.0, 1e-6},
                                        {1e-4, 1.0},
                                        {1e-3, 1e-5}})
    for (const Words& settings :
         {Words{"model.activation=tanh"}, {"model.activation=relu"}, {"model.init=normal(30)"}}) {
      const Outcome outcome = check_regression(feature, target, settings, GetParam());
      EXPECT_EQ(outcome.code, 0) << "features " << feature << ", targets " << target << ", "
                                 << settings.front() << "\n"
                                 << outcome.out << outcome.err;
    }
}

// A feature that is the same throughout is 0 less its mean, and so is what every unit of relu sees: the slope
// of its bias is one on the left and another on the right.
TEST_P(GradientCheckOf, ATensorAllAtAKinkPasses) {
  const TemporaryFolder folder;
  write_text(folder / "data.csv", "2,1\n2,3\n2,2\n2,7\n");
  write_text(folder / "run.toml",
             "[data]\ndataset = \"csv\"\nfile = \"data.csv\"\ntask = \"regression\"\nshards = 4\n"
             "[train]\nbatch_size = 4\n[model]\nloss = \"mse\"\nhidden = [3]\nactivation = \"relu\"\n");
  const Outcome outcome = run({"gradcheck", "run.toml"}, GetParam(), in(folder.path()));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("layers.0.bias +3 .*  pass \\(3 at a kink\\)\n")))
      << outcome.out;
}

// Where all units of a layer are silent, the next layer's are at 0 less their biases, for some samples; and
// the kinks of the samples may cancel in the mean.
TEST_P(GradientCheckOf, KinksOfSomeSamplesPass) {
  const TemporaryFolder folder;
  for (const std::string init : {"he", "normal(0.00001)"})
    for (const std::string seed : {"1", "2", "3"}) {
      const Outcome outcome = check(
          folder,
          {"data.dataset=spiral", "data.n=200", "model.hidden=[8,8]", "model.activation=relu",
           "train.batch_size=96", "model.loss=binary_cross_entropy", "model.init=" + init, "seed=" + seed},
          GetParam(), {"--samples", "96"});
      EXPECT_EQ(outcome.code, 0) << init << seed << outcome.out << outcome.err;
    }
}

TEST_P(GradientCheckOf, FloatSumsPassesToo) {
  const TemporaryFolder folder;
  const Outcome outcome = check(folder, {"reduce.mode=float"}, GetParam());
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
}

TEST_P(GradientCheckOf, ANetworkWritesNoFiles) {
  const TemporaryFolder folder;
  ASSERT_EQ(check(folder, {}, GetParam()).code, 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    EXPECT_EQ(entry.path().filename(), "run.toml");
}

}  // namespace
}  // namespace lockstep::program
