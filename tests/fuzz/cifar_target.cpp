// CIFAR: the first byte says how many records are asked for and which, the rest are a file's bytes.
#include <sstream>

#include "data/cifar.h"
#include "fuzz.h"

namespace lockstep::fuzz {

std::vector<std::string> seeds() {
  std::string records;
  for (int label = 0; label < 4; ++label) {
    records += static_cast<char>(3 * label);
    for (int j = 0; j < 3072; ++j) records += static_cast<char>(j * 7 + label);
  }
  return {'\x01' + records.substr(0, 3073), '\x04' + records, '\x13' + records, '\x0e' + records, "\x01"};
}

}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  if (size == 0) return 0;
  constexpr std::size_t kFirst = 20000;  // of the third file
  const std::size_t count = data[0] % 16, stride = 1 + data[0] / 16 * 37;
  std::vector<std::uint32_t> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(static_cast<std::uint32_t>(kFirst + i * stride));
  std::istringstream file(fuzz::text_of(data + 1, size - 1));
  auto store = data::SampleStore::of_pixels(count + 2, 3072);
  const auto read = [&] {
    data::read_cifar_records(file, "data_batch_3.bin", data::kCifar10Labels, numbers, kFirst, store, 1);
  };
  if (!fuzz::accepts(read)) return 0;
  for (const float target : store.targets)
    if (!(target >= 0.0F && target <= 9.0F)) fuzz::found("a label that no class has");
  for (const auto byte : store.pixel_row(count + 1))
    if (byte != 0) fuzz::found("a row that was not asked for is overwritten");
  return 0;
}
