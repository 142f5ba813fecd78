// A search's file: what it may hold, and what its trials' values are.
#include "config/sweep.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "config/expect_error.h"

namespace lockstep::config {
namespace {

const std::string kRandom = "config = \"run.toml\"\nsearch = \"random\"\ntrials = 200\n[parameters]\n";

Sweep parse(const std::string& text) { return parse_sweep(text, "folder/sweep.toml"); }

// Fails unless the range, on line 5, is refused with a line that names it and has this part.
void expect_refused(const std::string& range, const std::string& expected) {
  SCOPED_TRACE(range);
  test::expect_line_with(
      test::message_of<ConfigError>([&] { parse(kRandom + "\"train.l2\" = { " + range + " }\n"); }),
      {"folder/sweep.toml:5: parameters.train.l2 is { ", ", expected " + expected});
}

// What the trials draw from the range.
std::vector<std::string> draw(const std::string& range) {
  const Sweep sweep = parse(kRandom + "\"train.l2\" = { " + range + " }\n");
  std::vector<std::string> values;
  for (std::size_t trial = 0; trial < sweep.size(); ++trial) values.push_back(sweep.values(trial).at(0));
  return values;
}

TEST(SweepRange, OfNumbersThatAreNotFiniteIsRefused) {
  for (const std::string kind : {"uniform", "log_uniform"})
    for (const std::string ends : {"[0.1, inf]", "[-inf, 0.1]", "[-inf, inf]", "[inf, inf]", "[nan, 1.0]",
                                   "[0.1, nan]", "[nan, nan]", "[1, inf]"})
      expect_refused(kind + " = " + ends, "finite numbers");
  for (const std::string ends : {"[1, inf]", "[-inf, 1]", "[nan, 1]", "[1.0, 2]", "[1, 2.0]"})
    expect_refused("integer = " + ends, "integers");
}

TEST(SweepRange, OfEqualOrReversedEndsIsRefused) {
  for (const std::string kind : {"uniform", "log_uniform", "integer"})
    for (const std::string ends :
         {"[3, 3]", "[4, 3]", "[3, -3]", "[9223372036854775807, 9223372036854775806]"})
      expect_refused(kind + " = " + ends, "LOW below HIGH");
  expect_refused("uniform = [0.2, 0.2]", "LOW below HIGH");
  expect_refused("uniform = [0.0, -0.0]", "LOW below HIGH");
}

TEST(SweepRange, ThatIsTooWideIsRefused) {
  expect_refused("uniform = [-1.7e308, 1.7e308]", "a finite difference");
  expect_refused("log_uniform = [1e-300, 1e300]", "HIGH below 1e300 times LOW");
  expect_refused("log_uniform = [4.9e-324, 1.0]", "HIGH below 1e300 times LOW");
  expect_refused("log_uniform = [0, 1]", "LOW above 0");
  expect_refused("log_uniform = [-1, 1]", "LOW above 0");
  for (const std::string ends : {"[0, 4294967295]", "[-9223372036854775808, 9223372036854775807]",
                                 "[-1, 9223372036854775807]", "[-9223372036854775808, 0]"})
    expect_refused("integer = " + ends, "integers less than 2^32 - 1 apart");
}

// Which TOML refuses, naming the line.
TEST(SweepRange, OfIntegersBeyond64BitsIsRefused) {
  for (const std::string ends :
       {"[0, 9223372036854775808]", "[-9223372036854775809, 0]", "[0, 100000000000000000000000000]"})
    test::expect_line_with(test::message_of<ConfigError>(
                               [&] { parse(kRandom + "\"train.l2\" = { integer = " + ends + " }\n"); }),
                           {"folder/sweep.toml:5: not TOML: "});
}

TEST(SweepRange, OfIntegersAtTheEndsOf64BitsIsDrawnFromExactly) {
  const auto set_of = [](const std::vector<std::string>& values) {
    return std::set<std::string>(values.begin(), values.end());
  };
  EXPECT_EQ(set_of(draw("integer = [9223372036854775805, 9223372036854775807]")),
            (std::set<std::string>{"9223372036854775805", "9223372036854775806", "9223372036854775807"}));
  EXPECT_EQ(set_of(draw("integer = [-9223372036854775808, -9223372036854775807]")),
            (std::set<std::string>{"-9223372036854775808", "-9223372036854775807"}));
  EXPECT_EQ(set_of(draw("integer = [-1, 1]")), (std::set<std::string>{"-1", "0", "1"}));
  EXPECT_GT(set_of(draw("integer = [0, 4294967294]")).size(), 190U);
}

TEST(SweepRange, GivesNumbersWithinItHoweverWide) {
  for (const auto& [range, low, high] : {std::tuple("uniform = [-8e307, 8e307]", -8e307, 8e307),
                                         {"uniform = [0.1, 0.2]", 0.1, 0.2},
                                         {"log_uniform = [1e-150, 1e149]", 1e-150, 1e149},
                                         {"log_uniform = [1e-320, 1e-310]", 1e-320, 1e-310},
                                         {"log_uniform = [1, 1e299]", 1.0, 1e299}})
    for (const std::string& value : draw(range)) {
      const double x = std::strtod(value.c_str(), nullptr);
      EXPECT_GE(x, low * (low < 0 ? 1 + 1e-5 : 1 - 1e-5)) << range;
      EXPECT_LE(x, high * (1 + 1e-5)) << range;
    }
}

TEST(SweepSeeds, MayBeZeroAndDiffer) {
  const std::string rest = "[parameters]\n\"train.l2\" = [0.1]\n";
  EXPECT_EQ(parse("config = \"run.toml\"\nseeds = [0, 7]\n" + rest).seeds, (std::vector<std::size_t>{0, 7}));
  test::expect_line_with(
      test::message_of<ConfigError>([&] { parse("config = \"run.toml\"\nseeds = [2, 0, 2]\n" + rest); }),
      {"folder/sweep.toml:2: seeds has 2 twice"});
}

TEST(SweepValues, KnowTheirLines) {
  const Sweep sweep =
      parse("config = \"run.toml\"\n[set]\n\"train.epochs\" = 3\n[parameters]\n\"train.l2\" = [0.1]\n");
  EXPECT_EQ(sweep.origins, std::vector<std::string>{"folder/sweep.toml:3"});
  EXPECT_EQ(sweep.parameters.at(0).where, "folder/sweep.toml:5");
}

// Whatever a string holds; as --set takes it, it is the same.
TEST(SweepValues, AreOfOneLineAndTheSameStrings) {
  const Sweep sweep = parse(
      "config = \"run.toml\"\n[parameters]\n\"data.dir\" = [\"a\\nb\", \"\"\"c\nd'e\"f\"\"\", 'g\\h', "
      "\"i\\u007f\\tj\"]\n");
  const std::vector<std::string> texts = {"a\nb", "c\nd'e\"f", "g\\h", "i\x7f\tj"};
  ASSERT_EQ(sweep.size(), texts.size());
  for (std::size_t trial = 0; trial < texts.size(); ++trial) {
    const std::string value = sweep.values(trial).at(0);
    EXPECT_EQ(value.find('\n'), std::string::npos) << value;
    for (const std::string& written : {value, plain_toml(value)})
      EXPECT_EQ(config::parse("", "run.toml", {"data.dir=" + written}).data.dir.string(), texts[trial]);
  }
  const Sweep tables =
      parse("config = \"run.toml\"\n[parameters]\n\"model.layers\" = [[{ \"a b\" = 'c', type = 'd' }]]\n");
  EXPECT_EQ(tables.values(0).at(0), "[{ 'a b' = 'c', type = 'd' }]");
}

// As --set takes it: --set a=WORD is a string unless TOML knows better.
TEST(PlainToml, IsWithoutQuotesWhereItStaysTheSameString) {
  for (const auto& [value, plain] : {std::pair("'relu'", "relu"),
                                     {"\"relu\"", "relu"},
                                     {"'normal(0.1)'", "normal(0.1)"},
                                     {"'a/b.csv'", "a/b.csv"},
                                     {"'1'", "'1'"},
                                     {"'true'", "'true'"},
                                     {"'[1]'", "'[1]'"},
                                     {"'inf'", "'inf'"},
                                     {"\"it's\"", "\"it's\""},
                                     {"\"a\\tb\"", "\"a\\tb\""},
                                     {"''", "''"},
                                     {"0.5", "0.5"},
                                     {"[1, 2]", "[1, 2]"},
                                     {"['a', 'b']", "['a', 'b']"}})
    EXPECT_EQ(plain_toml(value), plain);
}

}  // namespace
}  // namespace lockstep::config
