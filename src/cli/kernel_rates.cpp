#include "cli/kernel_rates.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "kernels/kernel_family.h"

namespace lockstep::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

fs::path cache_folder() {
  const auto absolute = [](const char* name) {  // others are to be ignored: XDG Base Directory Specification
    const char* const text = std::getenv(name);
    return text != nullptr && fs::path(text).is_absolute() ? fs::path(text) : fs::path();
  };
  if (const fs::path cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return cache / "lockstep";
  if (const fs::path home = absolute("HOME"); !home.empty()) return home / ".cache" / "lockstep";
  return {};
}

std::optional<std::vector<double>> read_rates(const fs::path& file, std::span<const std::string> families) {
  try {
    const auto gflops = ordered_json::parse(read_file(file)).at("gflops");
    std::vector<double> rates;
    for (const std::string& family : families) rates.push_back(gflops.at(family).get<double>());
    if (std::ranges::min(rates) > 0.0) return rates;  // 0: it could not be measured
  } catch (const std::system_error&) {
  } catch (const ordered_json::exception&) {
  }
  return std::nullopt;
}

// Leaves a file alone that has come into being meanwhile.
void remember(const fs::path& file, std::span<const std::string> families, std::span<const double> rates) {
  ordered_json gflops;
  for (std::size_t f = 0; f < families.size(); ++f) gflops[families[f]] = rates[f];
  const fs::path own = fmt::format("{}.{}", file.string(), ::getpid());
  std::error_code ignored;
  try {
    fs::create_directories(file.parent_path());
    write_file_atomically(own, ordered_json{{"gflops", gflops}}.dump(2) + "\n");
    fs::create_hard_link(own, file, ignored);
  } catch (const std::system_error&) {  // there is no such place: nothing is remembered
  }
  fs::remove(own, ignored);
}

}  // namespace

fs::path kernel_rates_file() {
  const fs::path folder = cache_folder();
  if (folder.empty()) return {};
  return folder / fmt::format("kernels-{}-blis-{}.json", kernels::processor_type(), kernels::blis_version());
}

KernelRates kernel_rates(std::span<const std::string> families) {
  const fs::path file = kernel_rates_file();
  std::error_code ignored;
  const bool exists = fs::exists(file, ignored);
  if (auto rates = read_rates(file, families)) return {std::move(*rates), true};
  KernelRates measured{kernels::measure_kernel_families(families)};
  if (file.empty()) return measured;
  if (exists) fs::remove(file, ignored);  // damaged, or of other families
  remember(file, families, measured.gflops);
  if (auto rates = read_rates(file, families)) measured.gflops = std::move(*rates);
  return measured;
}

}  // namespace lockstep::cli
