// The tree is the architecture: a file of src/FOLDER includes only its own folder and lower floors.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>

#include "files.h"
#include "process.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;

// The floors, lowest first. Folders of one floor do not know each other.
const std::vector<std::set<std::string>> kFloors = {
    {"base"},        {"liveness"}, {"kernels", "comm", "data"},
    {"nn", "optim"}, {"reduce"},   {"train", "report"},
    {"config"},      {"run"},      {"scaling"},
    {"cli"},
};

// System headers that one folder alone may include.
const std::map<std::string, std::string> kDoors = {
    {"mpi.h", "comm"}, {"blis.h", "kernels"}, {"cblas.h", "kernels"}, {"immintrin.h", "kernels"}};

// Folder -> folders that it may include.
std::map<std::string, std::set<std::string>> allowed_includes() {
  std::map<std::string, std::set<std::string>> allowed;
  std::set<std::string> lower;
  for (const auto& floor : kFloors) {
    for (const std::string& folder : floor) {
      allowed[folder] = lower;
      allowed[folder].insert(folder);
    }
    lower.insert(floor.begin(), floor.end());
  }
  return allowed;
}

struct Findings {
  std::vector<std::string> violations;  // "FOLDER/FILE:LINE: the line (why not)"
  std::set<std::string> folders;        // that hold source files
  std::size_t includes = 0;             // of the tree's own headers
};

// Why a file of `folder` must not have this include line; empty where it may, or where the line is none.
std::string objection(const std::string& folder, const std::string& line, Findings& findings) {
  static const auto allowed = allowed_includes();
  static const std::regex form(R"(\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::smatch parts;
  if (line.find('#') == std::string::npos || !std::regex_match(line, parts, form)) return "";
  const bool quoted = parts[1] == "\"";
  const std::string header = parts[2];
  const auto door = kDoors.find(fs::path(header).filename().string());
  if (door != kDoors.end()) return door->second == folder ? "" : "only " + door->second + "/ may include it";
  const std::string target = header.substr(0, header.find('/'));
  if (!quoted) return allowed.contains(target) ? "own headers are included in quotes" : "";
  ++findings.includes;
  if (!allowed.contains(folder)) return folder + "/ is on no floor";
  if (target == header) return "no folder is named";
  if (!allowed.contains(target)) return target + "/ is on no floor";
  return allowed.at(folder).contains(target) ? "" : target + "/ is not below " + folder + "/";
}

Findings inspect(const fs::path& root) {
  Findings findings;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (std::regex_match(entry.path().filename().string(), std::regex(R"(.*\.(h|hpp|c|cc|cpp)(\.in)?)")))
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    const fs::path name = path.lexically_relative(root);
    const std::string folder = name.begin()->string();
    findings.folders.insert(folder);
    std::ifstream file(path);
    std::size_t number = 1;
    for (std::string line; std::getline(file, line); ++number) {
      const std::string why = objection(folder, line, findings);
      if (!why.empty())
        findings.violations.push_back(name.string() + ":" + std::to_string(number) + ": " + line + " (" +
                                      why + ")");
    }
  }
  return findings;
}

TEST(Sources, IncludeOnlyTheirOwnAndLowerFloors) {
  const Findings findings = inspect(LOCKSTEP_SOURCE_FOLDER);
  for (const std::string& violation : findings.violations) ADD_FAILURE() << violation;
  std::set<std::string> folders;
  for (const auto& floor : kFloors) folders.insert(floor.begin(), floor.end());
  EXPECT_EQ(findings.folders, folders);
  EXPECT_GT(findings.includes, 50U);
}

TEST(IncludeRule, FindsEveryKindOfViolation) {
  const TemporaryFolder folder;
  const auto write = [&folder](const std::string& name, const std::string& text) {
    fs::create_directories((folder / name).parent_path());
    write_text(folder / name, text);
  };
  write("base/low.h", "#pragma once\n\n#include \"nn/model.h\"\n");
  write("comm/door.cpp", "#include <mpi.h>\n#include <vector>\n#include \"base/low.h\"\n");
  write("comm/neighbour.cpp", "#include \"data/dataset.h\"\n");
  write("data/neighbour.cpp", "#include \"data/dataset.h\"\n#include \"kernels/gemm.h\"\n");
  write("kernels/door.cpp", "#include <blis.h>\n#include \"data/dataset.h\"\n");
  write("optim/sgd.cpp", "  #  include <blis/cblas.h>  // a product\n");
  write("report/door.h.in", "#include \"mpi.h\"\n");
  write("train/near.cpp", "#include \"near.h\"\n#include <reduce/reducer.h>\n#include \"../base/low.h\"\n");
  write("util/new.cpp", "#include \"base/low.h\"\n");
  const std::vector<std::string> expected = {
      "base/low.h:3: #include \"nn/model.h\" (nn/ is not below base/)",
      "comm/neighbour.cpp:1: #include \"data/dataset.h\" (data/ is not below comm/)",
      "data/neighbour.cpp:2: #include \"kernels/gemm.h\" (kernels/ is not below data/)",
      "kernels/door.cpp:2: #include \"data/dataset.h\" (data/ is not below kernels/)",
      "optim/sgd.cpp:1:   #  include <blis/cblas.h>  // a product (only kernels/ may include it)",
      "report/door.h.in:1: #include \"mpi.h\" (only comm/ may include it)",
      "train/near.cpp:1: #include \"near.h\" (no folder is named)",
      "train/near.cpp:2: #include <reduce/reducer.h> (own headers are included in quotes)",
      "train/near.cpp:3: #include \"../base/low.h\" (../ is on no floor)",
      "util/new.cpp:1: #include \"base/low.h\" (util/ is on no floor)",
  };
  EXPECT_EQ(inspect(folder.path()).violations, expected);
}

}  // namespace
}  // namespace lockstep::program
