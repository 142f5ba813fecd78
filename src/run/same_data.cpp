#include "run/same_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace lockstep::run {
namespace {

// What a message calls the data: the file, the folder, or the name of a set that is made up.
std::string name_of_data(const data::DataOptions& options, data::Split split) {
  if (options.dataset == "csv" || options.dataset == "numpy")
    return (split == data::Split::kTest && !options.test_file.empty() ? options.test_file : options.file)
        .string();
  if (options.dataset == "images") return options.dir.string();
  const auto files = data::files_of(options);
  return files.empty() ? options.dataset : files.front().parent_path().string();
}

}  // namespace

void expect_same_files(const comm::Communicator& communicator, const data::Dataset& dataset) {
  using nlohmann::json;
  std::vector<data::FileHash> files;
  communicator.all_or_none([&] { files = dataset.files(); });
  json hashes = json::array();
  for (const data::FileHash& file : files) hashes.push_back(file.hash);
  const std::vector<std::string> of_ranks =
      communicator.gather(json{{"host", comm::host_name()}, {"hashes", hashes}}.dump(), 0);
  communicator.all_or_none([&] {
    if (communicator.rank() != 0) return;
    for (std::size_t f = 0; f < files.size(); ++f) {
      std::vector<std::string> others;
      for (std::size_t rank = 1; rank < of_ranks.size(); ++rank) {
        const json of_rank = json::parse(of_ranks[rank]);
        const auto hash = of_rank["hashes"].at(f).get<std::uint64_t>();
        if (hash != files[f].hash)
          others.push_back(
              fmt::format("rank {} on {} ({})", rank, of_rank["host"].get<std::string>(), hash_text(hash)));
      }
      if (!others.empty())
        throw DataError(fmt::format(
            "{}: the ranks read different files, expected the same on every host: rank 0 on {} has the "
            "fingerprint {}, but {}",
            files[f].path.string(), comm::host_name(), hash_text(files[f].hash), fmt::join(others, ", ")));
    }
  });
}

void expect_data_of(const std::string& checkpoint, const data::Fingerprint& expected,
                    const data::Fingerprint& found, const data::DataOptions& options) {
  const auto text = [](const std::string& print) { return print.empty() ? "none" : print; };
  for (const auto& [split, kind, a, b] :
       {std::tuple(data::Split::kTrain, "training", found.train, expected.train),
        std::tuple(data::Split::kTest, "test", found.test, expected.test)})
    if (a != b)
      throw DataError(
          fmt::format("{}: its {} samples have the fingerprint {}, expected {}: not the data that {} is of",
                      name_of_data(options, split), kind, text(a), text(b), checkpoint));
}

}  // namespace lockstep::run
