// Runs a target without libFuzzer: its seeds, the files named on the command line, and mutations of them, the
// same in every run.
//
// Usage: fuzz_TARGET [--mutations N] [--write-seeds FOLDER] [FILE or FOLDER]...
//   --mutations N           how many mutations follow the inputs themselves (default: 2000)
//   --write-seeds FOLDER    only write the seeds into the folder, for libFuzzer to start from
//
// The input under way is kept in the file fuzz_TARGET.input of the current folder, until all are done. An
// input that takes longer than 10 seconds ends the process.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "base/file.h"
#include "fuzz.h"

namespace {

using namespace lockstep;
namespace fs = std::filesystem;

void run(const std::string& input, int kept) {
  if (::ftruncate(kept, 0) != 0 || ::pwrite(kept, input.data(), input.size(), 0) < 0) std::abort();
  constexpr unsigned kLongest = 10;  // seconds
  ::alarm(kLongest);
  const std::vector<std::uint8_t> exact(input.begin(), input.end());  // a byte behind it is not ours
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  ::alarm(0);
}

// One to four changes: a bit or byte, a cut, an insertion, a slice once more, a slice of another input.
std::string mutate(std::string text, const std::string& other, std::mt19937_64& engine) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(engine() % n); };
  const auto slice = [&](const std::string& from) {
    const std::size_t begin = below(from.size() + 1);
    return from.substr(begin, below(std::min<std::size_t>(64, from.size() - begin) + 1));
  };
  const auto byte = [&] {
    constexpr std::string_view kTelling("\0\n\r\t\"'\\{}[]=.,:#-+e09 \x7f\x80\xff", 25);
    return below(2) == 0 ? kTelling[below(kTelling.size())] : static_cast<char>(below(256));
  };
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    const std::size_t at = below(text.size() + 1);
    switch (below(7)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < text.size()) text[at] = byte();
        break;
      case 2:
        text.resize(below(4) == 0 ? at : text.size() - std::min(text.size(), below(16)));
        break;
      case 3:
        text.insert(at, 1, byte());
        break;
      case 4:
        text.insert(at, slice(text));
        break;
      case 5:
        text.insert(at, slice(other));
        break;
      case 6:
        text.erase(at, below(16));
        break;
    }
  }
  return text;
}

void write(const fs::path& folder, const std::vector<std::string>& inputs) {
  fs::create_directories(folder);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    std::ofstream(folder / ("seed" + std::to_string(i)), std::ios::binary) << inputs[i];
}

std::vector<std::string> contents(const fs::path& path) {
  if (!fs::is_directory(path)) return {read_file(path)};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> inputs;
  for (const fs::path& file : files) inputs.push_back(read_file(file));
  return inputs;
}

}  // namespace

int main(int argc, char** argv) try {
  std::size_t mutations = 2000;
  std::vector<std::string> inputs = fuzz::seeds();
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--mutations" && i + 1 < argc) {
      mutations = std::stoul(argv[++i]);
    } else if (argument == "--write-seeds" && i + 1 < argc) {
      write(argv[++i], inputs);
      return 0;
    } else {
      for (std::string& input : contents(argument)) inputs.push_back(std::move(input));
    }
  }
  const std::string kept_name = fs::path(argv[0]).filename().string() + ".input";
  const int kept = ::open(kept_name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  std::printf("the input under way is in %s\n", fs::absolute(kept_name).c_str());
  std::fflush(stdout);
  for (const std::string& input : inputs) run(input, kept);

  constexpr std::size_t kMax = 1 << 16;  // larger inputs are tried as they are
  std::erase_if(inputs, [](const std::string& input) { return input.size() > kMax; });
  std::mt19937_64 engine(1);
  for (std::size_t i = 0; i < mutations; ++i) {
    const std::string& input = inputs[engine() % inputs.size()];
    run(mutate(input, inputs[engine() % inputs.size()], engine), kept);
  }
  fs::remove(kept_name);
  std::printf("%zu inputs and %zu mutations\n", inputs.size(), mutations);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
  return 1;
}
