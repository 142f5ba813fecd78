// lockstep configs: every configuration that comes with the program, with a line that says what it is.
#include <gtest/gtest.h>

#include <sstream>

#include "files.h"
#include "process.h"
#include "shipped.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> shipped_files() {
  std::vector<std::string> files = shipped_configurations();
  for (const std::string& sweep : shipped_sweeps()) files.push_back(sweep);
  return files;
}

TEST(Configs, HaveAFirstLineThatSaysWhatTheyAre) {
  for (const std::string& name : shipped_files()) {
    const std::string text = read_text(shipped(name)), line = text.substr(0, text.find('\n'));
    EXPECT_TRUE(line.starts_with("# ") && line.ends_with(".")) << name << ": " << line;
    EXPECT_GE(line.size(), 40U) << name << ": " << line;
    EXPECT_LE(line.size(), 110U) << name << ": " << line;
    const char next = text.at(line.size() + 1);  // of a paragraph of its own
    EXPECT_TRUE(next != '#' || text.at(line.size() + 2) == '\n') << name;
  }
}

class ConfigsOfRanks : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(OneProcess, ConfigsOfRanks, testing::Values(kOneProcess));
INSTANTIATE_TEST_SUITE_P(ThreeRanks, ConfigsOfRanks, testing::Values(3));

TEST_P(ConfigsOfRanks, AreListedOnceWithTheirDescriptions) {
  const Outcome outcome = run({"configs"}, GetParam(), in(fs::path(LOCKSTEP_CONFIGS_FOLDER).parent_path()));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  std::istringstream lines(outcome.out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const std::string path = line.substr(0, line.find(' '));
    const std::string text = read_text(fs::path(LOCKSTEP_CONFIGS_FOLDER).parent_path() / path);
    EXPECT_EQ("# " + line.substr(line.find_first_not_of(' ', path.size())), text.substr(0, text.find('\n')));
  }
  EXPECT_EQ(count, shipped_files().size());
}

TEST_P(ConfigsOfRanks, OfAFolderAreThoseWithAndWithoutADescription) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "mine/more");
  write_text(folder / "mine/more/a.toml", "# Of  a folder below.\nseed = 1\n");
  write_text(folder / "mine/sample.toml", "seed = 1\n# not the first line\n");
  write_text(folder / "mine/notes.txt", "# no configuration\n");
  const Outcome outcome = run({"configs", "mine"}, GetParam(), in(folder.path()));
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "mine/sample.toml  -\nmine/more/a.toml  Of  a folder below.\n");
}

TEST_P(ConfigsOfRanks, OfNoFolderOrAnEmptyOneAreAnError) {
  const TemporaryFolder folder;
  const Outcome missing = run({"configs", "nowhere"}, GetParam(), in(folder.path()));
  EXPECT_EQ(missing.code, 2);
  EXPECT_EQ(
      missing.err,
      "lockstep: nowhere: cannot be read: No such file or directory, expected a folder of configurations\n");
  const Outcome empty = run({"configs", "."}, GetParam(), in(folder.path()));
  EXPECT_EQ(empty.code, 2);
  EXPECT_EQ(empty.err, "lockstep: .: has no .toml file, expected configurations\n");
}

}  // namespace
}  // namespace lockstep::program
