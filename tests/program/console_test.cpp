// What a person, a pipe and a script see of the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

using Words = std::vector<std::string>;

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// What a terminal shows of the text in the end: a carriage return and "erase" take a line's earlier text
// away.
std::string visible(const std::string& text) {
  const std::string unix_lines = std::regex_replace(text, std::regex("\r+\n"), "\n");
  return std::regex_replace(unix_lines, std::regex("[^\n]*\r\x1b\\[K"), "");
}

std::size_t count(const Words& lines, const std::string& pattern) {
  std::size_t n = 0;
  for (const std::string& line : lines) n += std::regex_match(line, std::regex(pattern)) ? 1 : 0;
  return n;
}

class Console : public testing::TestWithParam<int> {
 protected:
  Console() { write_small_config(folder_.path()); }

  Outcome run(const Words& arguments, bool terminal = false) {
    surroundings_.folder = folder_.path();
    surroundings_.terminal = terminal;
    return program::run(arguments, GetParam(), surroundings_);
  }

  // Trains for two epochs that are long enough for a bar to move, on any machine.
  Outcome train_slowly(bool terminal, const Words& more = {}) {
    constexpr double kLong = 0.25;  // seconds; the bar moves every 0.1
    Outcome outcome;
    for (std::size_t samples = 320; samples <= 50000; samples *= 4) {
      Words words = {"train",
                     "run.toml",
                     "--overwrite",
                     "--out",
                     "out",
                     "--set",
                     "model.hidden=[500]",
                     "--set",
                     "train.batch_size=8",
                     "--set",
                     "data.train_samples=" + std::to_string(samples)};
      words.insert(words.end(), more.begin(), more.end());
      outcome = run(words, terminal);
      if (outcome.code != 0) break;
      const Table metrics = read_csv(folder_ / "out/metrics.csv");
      if (metrics.number(0, "seconds") > kLong && metrics.number(1, "seconds") > kLong) break;
    }
    return outcome;
  }

  TemporaryFolder folder_;
  Surroundings surroundings_;
};
INSTANTIATE_TEST_SUITE_P(OneProcess, Console, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, Console, testing::Values(3));
using ConsoleAlone = Console;
INSTANTIATE_TEST_SUITE_P(OneProcess, ConsoleAlone, testing::Values(kOneProcess));

const std::string kEpochRow =
    R"( +[12]  +[0-9.]+  +[0-9.]+%  +[0-9.]+  +[0-9.]+%  +0\.05  +[0-9.]+  +[0-9]+)";
const std::string kBar = R"(epoch [12]/2 \[#*\.*\] +[0-9]+%  [0-9]+ samples/s  [0-9]+:[0-9][0-9] left)";

TEST_P(Console, FirstLineSaysWhatRuns) {
  const Outcome outcome = run({"train", "run.toml", "--out", "out"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto provenance = read_json(folder_ / "out/summary.json").at("provenance");
  const std::string ranks = GetParam() == kOneProcess ? "1 rank" : "3 ranks";
  EXPECT_EQ(lines_of(outcome.out).at(0), "lockstep " LOCKSTEP_VERSION ": " + ranks + " x 1 thread, " +
                                             provenance.at("kernel_family").get<std::string>() +
                                             " kernels, synthetic, seed 3, exact reduction");
}

TEST_P(Console, PipeGetsOneCleanLineAnEpoch) {
  const Outcome outcome = train_slowly(false);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out.find_first_of("\r\x1b\b"), std::string::npos) << outcome.out;
  const Words lines = lines_of(outcome.out);
  EXPECT_EQ(count(lines, kEpochRow), 2U) << outcome.out;
  EXPECT_EQ(count(lines, ".*[0-9] samples/s.*"), 0U) << outcome.out;
  EXPECT_TRUE(std::regex_match(lines.back(), std::regex("weights [0-9a-f]{16}, written to out")))
      << lines.back();
}

TEST_P(Console, TerminalGetsAProgressBarThatLeavesNoTrace) {
  const Outcome outcome = train_slowly(true);
  ASSERT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("\r" + kBar))) << outcome.out;
  const Words lines = lines_of(visible(outcome.out));
  EXPECT_EQ(count(lines, kEpochRow), 2U) << visible(outcome.out);
  EXPECT_EQ(count(lines, ".*[0-9] samples/s.*"), 0U) << visible(outcome.out);
}

// The longest of the lines that a terminal showed at any time, bars among them.
std::size_t longest_shown(const std::string& text) {
  std::size_t longest = 0;
  std::istringstream stream(std::regex_replace(text, std::regex("\r|\x1b\\[K"), "\n"));
  for (std::string line; std::getline(stream, line);) longest = std::max(longest, line.size());
  return longest;
}
// The table and its bars.
std::string table_of(const std::string& text) {
  const std::size_t begin = text.find("epoch  train loss");
  return text.substr(begin, text.find("weights ") - begin);
}

TEST_P(Console, TableAndBarKeepWithinANarrowTerminal) {
  surroundings_.columns = 60;
  const Outcome outcome = train_slowly(true);
  ASSERT_EQ(outcome.code, 0) << outcome.out;
  const std::string table = table_of(outcome.out);
  EXPECT_LE(longest_shown(table), 60U) << visible(table);
  EXPECT_TRUE(std::regex_search(table, std::regex("\r" + kBar))) << table;
  EXPECT_TRUE(table.starts_with("epoch  train loss  train acc   test loss   test acc\r")) << visible(table);
  EXPECT_EQ(count(lines_of(visible(table)), R"( +[12]  +[0-9.]+  +[0-9.]+%  +[0-9.]+  +[0-9.]+%)"), 2U)
      << visible(table);
}

TEST_P(ConsoleAlone, UsesAsMuchOfATerminalAsColumnsSays) {
  surroundings_.environment = {{"COLUMNS", "30"}};
  const Outcome outcome = train_slowly(true);
  ASSERT_EQ(outcome.code, 0) << outcome.out;
  const std::string table = table_of(outcome.out);
  EXPECT_LE(longest_shown(table), 30U) << visible(table);
  EXPECT_TRUE(std::regex_search(table, std::regex(R"(\repoch [12]/2  +[0-9]+%  [0-9]+:[0-9][0-9] left)")))
      << table;
}

TEST_P(ConsoleAlone, WritesTheSameToAPipeWhateverTheTerminalIsSaidToBe) {
  const auto timeless_lines = [&] {
    const Outcome outcome = run({"inspect", "run.toml"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::string text = outcome.out + lines_of(run({"train", "run.toml", "--overwrite"}).out).at(8);
    return text;
  };
  const std::string text = timeless_lines();
  EXPECT_TRUE(
      text.ends_with("epoch  train loss  train acc   test loss   test acc         lr   seconds  samples/s"))
      << text;
  surroundings_.environment = {{"COLUMNS", "30"}, {"NO_COLOR", "1"}, {"TERM", "xterm-256color"}};
  EXPECT_EQ(timeless_lines(), text);
}

TEST_P(ConsoleAlone, ColoursNothing) {
  surroundings_.environment = {{"NO_COLOR", "1"}, {"TERM", "xterm-256color"}};
  const std::regex colour("\x1b\\[[0-9;]*m");
  for (const Words& words : {Words{"train", "run.toml"}, Words{"train", "nowhere.toml"},
                             Words{"inspect", "run.toml"}, Words{"--help"}}) {
    const Outcome outcome = run(words, true);
    EXPECT_NE(outcome.out, "");
    EXPECT_FALSE(std::regex_search(outcome.out, colour)) << outcome.out;
  }
}

TEST_P(Console, QuietPrintsNothingEvenOnATerminal) {
  const Outcome outcome = train_slowly(true, {"--quiet"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "");
}

TEST_P(Console, HelpIsPrintedOnceAndTellsCommandsAndExitCodes) {
  const Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* part :
       {"train", "eval", "verify", "Exit codes", "0 done", "1 verify", "2 the command line", "3 the data",
        "4 a checkpoint or weight file", "5 a rank or the network", "130, 143 interrupted"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(outcome.out.find("Exit codes"), outcome.out.rfind("Exit codes"));
}

TEST_P(Console, SubcommandsExplainTheirOptions) {
  const Outcome train = run({"train", "--help"});
  EXPECT_EQ(train.code, 0);
  for (const char* part : {"CONFIG", "--set", "--out", "--quiet", "metrics.csv"})
    EXPECT_NE(train.out.find(part), std::string::npos) << part;
  const Outcome eval = run({"eval", "--help"});
  EXPECT_EQ(eval.code, 0);
  for (const char* part : {"CONFIG", "--set", "--model"})
    EXPECT_NE(eval.out.find(part), std::string::npos) << part;
  const Outcome verify = run({"verify", "--help"});
  EXPECT_EQ(verify.code, 0);
  for (const char* part : {"CONFIG", "--set", "--steps", "--tolerance"})
    EXPECT_NE(verify.out.find(part), std::string::npos) << part;
}

TEST_P(Console, VersionSaysOfTheProgramWhatASummaryRecords) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  ASSERT_EQ(run({"train", "run.toml", "--out", "out", "--quiet"}).code, 0);
  auto provenance = read_json(folder_ / "out/summary.json").at("provenance");
  Words lines = lines_of(outcome.out);
  ASSERT_EQ(lines.at(0), "lockstep " LOCKSTEP_VERSION);
  ASSERT_EQ(lines.back().find("kernel_sets      "), 0U) << outcome.out;
  EXPECT_NE(lines.back().find(provenance.at("kernel_family").get<std::string>()), std::string::npos);
  for (const char* of_the_run : {"version", "kernel_family", "kernel_choice", "kernels"})
    provenance.erase(of_the_run);
  EXPECT_EQ(lines.size(), 2 + provenance.size()) << outcome.out;
  for (const auto& [name, value] : provenance.items()) {
    std::string line = name;
    line.resize(17, ' ');
    line += value.get<std::string>();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), line), 1) << line << "\n" << outcome.out;
  }
}

}  // namespace
}  // namespace lockstep::program
