// Arrays of NumPy as a data set: the first byte says which data.task and data.image, the rest are an .npz
// file.
#include <cmath>
#include <numeric>

#include "data/numpy_set.h"
#include "fuzz.h"

namespace lockstep::fuzz {
namespace {

using npz::Entry;

Entry of_bytes(const std::string& name, const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t n : shape) count *= n;
  std::string bytes(count, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  return {name, "|u1", shape, bytes};
}

std::string npz_of(const std::vector<Entry>& entries) {
  return file_content([&](const std::filesystem::path& path) { npz::write_npz(path, entries); });
}

}  // namespace

std::vector<std::string> seeds() {
  const std::int64_t labels[] = {0, 1, 1}, two[] = {1, 0};
  const double values[] = {0.5, -1.0, 2.0};
  const Entry y = npz::of_integers("y", {3}, labels);
  const std::string image_first = npz_of({of_bytes("x", {3, 1, 2, 5}), y});
  return {
      std::string("\0", 1) + npz_of({of_bytes("x", {3, 2}), y}), "\2" + npz_of({of_bytes("x", {3, 2, 3}), y}),
      "\4" + image_first,
      "\1" + npz_of({{"X", "<f4", {3, 1}, std::string(12, '\1')},
                     {"y", "<f8", {3}, {reinterpret_cast<const char*>(values), sizeof values}}}),
      std::string("\0", 1) + npz_of({of_bytes("x_train", {3, 2}), npz::of_integers("y_train", {3, 1}, labels),
                                     of_bytes("x_test", {2, 2}), npz::of_integers("y_test", {2}, two)})};
}

}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockstep;
  static fuzz::MemoryFile file;
  if (size == 0) return 0;
  data::DataOptions options;
  options.dataset = "numpy";
  options.task = bytes[0] % 2 == 0 ? data::Task::kClassification : data::Task::kRegression;
  if (bytes[0] / 2 % 3 == 1) options.image = {1, 2, 3};
  if (bytes[0] / 2 % 3 == 2) options.image = {1, 2, 5};
  options.file = file.path();
  file.write(fuzz::text_of(bytes + 1, size - 1));
  fuzz::accepts([&] {
    const data::NumpySet dataset(options, nullptr);
    const data::DatasetInfo info = dataset.info();
    for (const auto split : {data::Split::kTrain, data::Split::kTest}) {
      std::vector<std::uint32_t> all(info.samples(split));
      std::iota(all.begin(), all.end(), 0U);
      const data::SampleStore store = dataset.load(split, all);
      if (store.width != info.features()) fuzz::found("a sample of another width");
      for (const double x : store.values)
        if (!std::isfinite(x)) fuzz::found("a feature that is not finite");
      for (const float target : store.targets)
        if (info.classes > 0 && !(target >= 0.0F && target < static_cast<float>(info.classes)))
          fuzz::found("a target that is not a class");
    }
    dataset.files();
  });
  return 0;
}
