// lockstep inspect: what a file or folder is, by its content, and what is in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <regex>
#include <sstream>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class Inspection : public testing::TestWithParam<int> {
 protected:
  // Its lines.
  Words inspected(const std::string& path) {
    const Outcome outcome = run({"inspect", path}, GetParam(), in(folder_.path()));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    Words lines;
    std::istringstream stream(outcome.out);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }
  void expect_refusal(const std::string& path, int code, const std::string& says) {
    const Outcome outcome = run({"inspect", path}, GetParam(), in(folder_.path()));
    EXPECT_EQ(outcome.code, code) << path;
    EXPECT_EQ(outcome.out, "") << path;
    EXPECT_EQ(outcome.err, "lockstep: " + path + ": " + says + "\n");
  }
  void train(const Words& more = {}) {
    write_planar_config(folder_.path());
    Words words = {"train", "run.toml", "--out", "out", "--quiet", "--overwrite"};
    words.insert(words.end(), more.begin(), more.end());
    ASSERT_EQ(run(words, GetParam(), in(folder_.path())).code, 0);
  }

  TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, Inspection, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Inspection, testing::Values(3));

constexpr const char* kExpected =
    "expected safetensors, TOML or CSV, the folder of a run, or one with CIFAR-10's files";

bool has(const Words& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

template <typename T>
void add(Tensors& tensors, const std::string& name, const char* type, const std::vector<T>& numbers) {
  const std::size_t begin = tensors.data.size(), bytes = numbers.size() * sizeof(T);
  tensors.data.append(reinterpret_cast<const char*>(numbers.data()), bytes);
  tensors.header[name] = {
      {"dtype", type}, {"shape", {numbers.size()}}, {"data_offsets", {begin, begin + bytes}}};
}

TEST_P(Inspection, ShowsTheNumbersOfTensorsOfEveryType) {
  Tensors tensors;
  add<float>(tensors, "a", "F32", {1.0F, NAN, -3.0F, INFINITY, 2.0F});
  add<double>(tensors, "b", "F64", {0.5, 1e-9});
  add<std::uint16_t>(tensors, "c", "F16", {0x3c00, 0xc000, 0x0001, 0x7c00, 0x7e00});
  add<std::uint16_t>(tensors, "d", "BF16", {0x3f80, 0xff80});
  add<std::int8_t>(tensors, "e", "I8", {-128, 127});
  add<std::uint32_t>(tensors, "f", "U32", {4000000000U});
  add<std::int32_t>(tensors, "g", "I32", {});
  write_safetensors(folder_ / "any", tensors);  // no ending tells what it is
  EXPECT_EQ(inspected("any"),
            (Words{"any: safetensors, 7 tensors of 17 numbers",
                   "tensor  type  shape          min          max         mean          std  not finite",
                   "a       F32   (5)             -3            2            0      2.16025           2",
                   "b       F64   (2)          1e-09          0.5         0.25         0.25           0",
                   "c       F16   (5)             -2            1    -0.333333      1.24722           2",
                   "d       BF16  (2)              1            1            1            0           1",
                   "e       I8    (2)           -128          127         -0.5        127.5           0",
                   "f       U32   (1)          4e+09        4e+09        4e+09            0           0",
                   "g       I32   (0)              -            -            -            -           0"}));
}

TEST_P(Inspection, HashesWeightsAsASummaryDoesInWhateverOrderTheyLie) {
  ASSERT_NO_FATAL_FAILURE(train());
  const std::string line = "weights " + weights_hash(folder_ / "out");
  EXPECT_TRUE(has(inspected("out/model.safetensors"), line));
  const Tensors model = read_safetensors(folder_ / "out/model.safetensors");
  Tensors turned;  // bias before weight, last layer first
  for (const char* name : {"layers.1.bias", "layers.1.weight", "layers.0.bias", "layers.0.weight"}) {
    auto entry = model.header.at(name);
    const std::size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1],
                      at = turned.data.size();
    turned.data += model.data.substr(begin, end - begin);
    entry["data_offsets"] = {at, at + end - begin};
    turned.header[name] = entry;
  }
  write_safetensors(folder_ / "turned.safetensors", turned);
  EXPECT_TRUE(has(inspected("turned.safetensors"), line));
  turned.header["other"] = turned.header["layers.0.bias"];
  turned.header.erase("layers.0.bias");
  write_safetensors(folder_ / "other.safetensors", turned);
  for (const std::string& other : inspected("other.safetensors"))
    EXPECT_FALSE(other.starts_with("weights ")) << other;
}

TEST_P(Inspection, TellsWhereACheckpointStandsAndWhetherItIsWhole) {
  ASSERT_NO_FATAL_FAILURE(train());
  const std::string hash = weights_hash(folder_ / "out"), file = "out/checkpoints/step-000000020.safetensors";
  const Words lines = inspected(file);
  EXPECT_EQ(lines.at(0), file + ": a checkpoint, whole");
  EXPECT_EQ(lines.at(1), "step 20, 4 epochs done, weights " + hash);
  EXPECT_EQ(lines.at(2), "circle, exact reduction");
  EXPECT_TRUE(lines.at(3).starts_with("trained on circle: 2 features, 2 classes")) << lines.at(3);
  EXPECT_TRUE(lines.at(5).starts_with("tensor                    type  shape")) << lines.at(5);
  EXPECT_TRUE(lines.at(10).starts_with("momentum.layers.0.weight  F32   (5, 2)")) << lines.at(10);
  EXPECT_TRUE(lines.at(14).starts_with("reducer                   I32   ")) << lines.at(14);

  std::string bytes = read_text(folder_ / file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_text(folder_ / file, bytes);
  const Outcome broken = run({"inspect", file}, GetParam(), in(folder_.path()));
  EXPECT_EQ(broken.code, 4);
  EXPECT_TRUE(
      std::regex_match(broken.err, std::regex("lockstep: " + file + ": its bytes have the checksum .*\n")))
      << broken.err;
}

TEST_P(Inspection, TellsOfARunWhatItCameToAndWhatIsBroken) {
  ASSERT_NO_FATAL_FAILURE(train());
  const auto summary = read_json(folder_ / "out/summary.json");
  const std::string hash = weights_hash(folder_ / "out");
  fs::resize_file(folder_ / "out/checkpoints/step-000000015.safetensors", 100);
  Words lines = inspected("out");
  EXPECT_EQ(lines.at(0), "out: a run, finished");
  const std::string ranks = GetParam() == kOneProcess ? "1" : "3";
  for (const char* line : {"configuration    run", "data             circle", "epochs           4",
                           "steps            20", "parameters       27"})
    EXPECT_TRUE(has(lines, line)) << line;
  EXPECT_TRUE(has(lines, "ranks x threads  " + ranks + " x 1"));
  EXPECT_TRUE(has(lines, "weights          " + hash));
  EXPECT_TRUE(has(lines, "model            model.safetensors: whole, weights " + hash));
  EXPECT_TRUE(
      has(lines, "kernel_family    " + summary.at("provenance").at("kernel_family").get<std::string>()));
  EXPECT_TRUE(has(
      lines, "checkpoint       step-000000020.safetensors: whole, step 20, 4 epochs done, weights " + hash));
  char test[64];
  std::snprintf(test, sizeof test, "test             loss %#.10g, accuracy %.2f%%",
                summary.at("test_loss").get<double>(), 100.0 * summary.at("test_accuracy").get<double>());
  EXPECT_TRUE(has(lines, test)) << test;
  const std::regex broken(
      "checkpoint       broken: out/checkpoints/step-000000015.safetensors: not a good .*");
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [&](const auto& line) { return std::regex_match(line, broken); }),
            1);
  fs::remove(folder_ / "out/summary.json");
  fs::remove(folder_ / "out/model.safetensors");
  lines = inspected("out");
  EXPECT_EQ(lines.at(0), "out: a run, not finished");
  EXPECT_TRUE(lines.at(1).starts_with("checkpoint       step-000000020.safetensors: whole, step 20"))
      << lines.at(1);
  write_text(folder_ / "out/summary.json", "{}");
  const Outcome empty = run({"inspect", "out"}, GetParam(), in(folder_.path()));
  EXPECT_EQ(empty.code, 2);
  EXPECT_TRUE(empty.err.starts_with("lockstep: out/summary.json: is not readable: ")) << empty.err;
}

TEST_P(Inspection, CountsTheClassesAndColumnsOfATable) {
  write_text(folder_ / "table", "width,height,kind\n1.5,0.5,round\n-0.5,2.5,long\n0.5,1.5,round\n");
  EXPECT_EQ(inspected("table"),
            (Words{"table: a table, 3 training and 0 test samples of 2 features, 2 classes",
                   "column   missing  used as", "width          0  numbers", "height         0  numbers",
                   "kind           0  target: 2 classes", "class  training      test",
                   "long          1         0", "round         2         0",
                   "feature          min          max         mean          std  not finite",
                   "width           -0.5          1.5          0.5     0.816497           0",
                   "height           0.5          2.5          1.5     0.816497           0"}));
  write_text(folder_ / "values.csv", "1,0.5\n3,1.5\n");
  EXPECT_EQ(
      inspected("values.csv"),
      (Words{"values.csv: a table, 2 training and 0 test samples of 1 feature, targets are values",
             "column   missing  used as", "1              0  numbers", "2              0  target: values",
             "feature          min          max         mean          std  not finite",
             "1                  1            3            2            1           0",
             "target           0.5          1.5            1          0.5           0"}));
}

TEST_P(Inspection, ShowsWhatColumnsAreUsedAsAndWhatIsMissing) {
  write_text(folder_ / "table.csv",
             "id,colour,size,kind\n1,red,,a\n2,blue,4,b\n3,red,NA,a\n4,?,2,b\n5,blue,1,a\n");
  const Words columns = {"column   missing  used as", "id             0  numbers",
                         "colour         1  2 categories: blue, red", "size           2  numbers",
                         "kind           0  target: 2 classes"};
  const Words table = inspected("table.csv");
  EXPECT_EQ(Words(table.begin() + 1, table.begin() + 6), columns);
  EXPECT_EQ(table.front(), "table.csv: a table, 5 training and 0 test samples of 4 features, 2 classes");
  write_text(folder_ / "run.toml",
             "[data]\ndataset = \"csv\"\nfile = \"table.csv\"\nignore = [\"id\"]\nmissing = \"drop\"\n");
  const Words run = inspected("run.toml");
  for (const std::string line :
       {"column   missing  used as", "id             0  not used", "colour         0  1 category: blue",
        "table.csv: 3 of 5 rows have missing cells and are left out"})
    EXPECT_TRUE(has(run, line)) << line;
}

TEST_P(Inspection, CountsTheClassesAndColoursOfCifar10) {
  write_black_cifar10(folder_ / "cifar");
  set_label(folder_ / "cifar/data_batch_5.bin", 9999, 9);
  const Words lines = inspected("cifar");
  EXPECT_EQ(lines.at(0),
            "cifar: CIFAR-10, 50000 training and 10000 test samples of 3072 features, 10 classes");
  EXPECT_TRUE(has(lines, "airplane       49999     10000"));
  EXPECT_TRUE(has(lines, "truck              1         0"));
  EXPECT_TRUE(has(lines, "green              0            0            0            0           0"));
  fs::resize_file(folder_ / "cifar/test_batch.bin", 1000);
  const Outcome broken = run({"inspect", "cifar"}, GetParam(), in(folder_.path()));
  EXPECT_EQ(broken.code, 3);
  EXPECT_TRUE(broken.err.starts_with("lockstep: cifar/test_batch.bin: has 1000 bytes, expected 30730000"))
      << broken.err;
}

TEST_P(Inspection, ResolvesAConfiguration) {
  write_small_config(folder_.path());
  EXPECT_EQ(
      inspected("run.toml"),
      (Words{"run.toml: a configuration",
             "synthetic, 403 training and 150 test samples of 3072 features, 10 classes",
             "layer                          outputs    parameters",
             "Dense 3072 -> 8                      8         24584",
             "sigmoid                              8             0",
             "Dense 8 -> 10                       10            90", "24674 parameters, loss cross_entropy",
             "403 training samples in 8 shards, batch 64 = 8 x 8, 7 steps per epoch; 150 test samples",
             "2 epochs, 14 steps, seed 3, exact reduction, at most 8 ranks"}));
  write_text(folder_ / "search", R"(config = "run.toml"
search = "random"
trials = 7
score = "test_loss"
seeds = [1, 2]
[set]
"train.epochs" = 3
[parameters]
"model.hidden" = [[4], [4, 4]]
"train.l2" = { log_uniform = [0.001, 0.1] }
"data.n" = { integer = [5, 7] }
)");
  EXPECT_EQ(inspected("search"),
            (Words{"search: a search of 7 trials, drawn at random", "of run.toml, the best test_loss",
                   "each with the seeds 1, 2", "all with train.epochs=3", "data.n: 5 to 7, integers",
                   "model.hidden: [4], [4, 4]", "train.l2: 0.001 to 0.1, by the logarithm"}));
}

TEST_P(Inspection, RefusesWhatIsNoneOfTheseInOneLine) {
  fs::create_directory(folder_ / "folder");
  write_text(folder_ / "binary", std::string("\1\0\2", 3));
  write_text(folder_ / "empty", "");
  write_text(folder_ / "bad.csv", "a,b\n1,x\nq,y\n");
  write_text(folder_ / "bad.toml", "[train]\nepochs = 0\n");
  write_text(folder_ / "bad.safetensors", "short");
  expect_refusal("nowhere", 2, std::string("no such file or folder, ") + kExpected);
  expect_refusal("/dev/null", 2, std::string("is neither a file nor a folder, ") + kExpected);
  expect_refusal(
      "folder", 2,
      std::string("is a folder without config.toml, summary.json and data_batch_1.bin, ") + kExpected);
  expect_refusal("binary", 2, std::string("is binary and no safetensors file, ") + kExpected);
  expect_refusal(
      "empty", 2,
      std::string("is none of what Lockstep reads (as CSV: empty: is empty, expected rows of numbers), ") +
          kExpected);
  expect_refusal("bad.safetensors", 4,
                 "not a good safetensors file: has 5 bytes, expected a header length of 8");
  for (const auto& [file, code, says] :
       {std::tuple("bad.csv", 3,
                   "bad.csv:3: column \"a\" is \"q\", expected a finite number; and with data.task = "
                   "\"regression\": "
                   "bad.csv:2: column \"b\" is \"x\", expected a finite number"),
        {"bad.toml", 2, "bad.toml:2: train.epochs is 0, expected an integer of at least 1"}}) {
    const Outcome outcome = run({"inspect", file}, GetParam(), in(folder_.path()));
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.err, "lockstep: " + std::string(says) + "\n");
  }
}

}  // namespace
}  // namespace lockstep::program
