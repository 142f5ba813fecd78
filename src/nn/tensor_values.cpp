#include "nn/tensor_values.h"

#include <bit>
#include <cstring>

#include "base/float16.h"

namespace lockstep::nn {
namespace {

struct Half {
  std::uint16_t bits;
  explicit operator double() const { return from_float16(bits); }
};

// The upper half of a binary32.
struct Brain {
  std::uint16_t bits;
  explicit operator double() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

template <typename T>
void each(const TensorView& tensor, const std::function<void(double)>& take) {
  for (std::size_t at = 0; at < tensor.bytes.size(); at += sizeof(T)) {
    T x;
    std::memcpy(&x, tensor.bytes.data() + at, sizeof x);  // it need not lie aligned
    take(static_cast<double>(x));
  }
}

}  // namespace

void for_each_value(const TensorView& tensor, const std::function<void(double)>& take) {
  using Each = void (*)(const TensorView&, const std::function<void(double)>&);
  static const std::map<std::string, Each> kTypes = {
      {"F64", each<double>},        {"F32", each<float>},         {"F16", each<Half>},
      {"BF16", each<Brain>},        {"I64", each<std::int64_t>},  {"I32", each<std::int32_t>},
      {"I16", each<std::int16_t>},  {"I8", each<std::int8_t>},    {"U64", each<std::uint64_t>},
      {"U32", each<std::uint32_t>}, {"U16", each<std::uint16_t>}, {"U8", each<std::uint8_t>},
      {"BOOL", each<std::uint8_t>}};
  kTypes.at(tensor.dtype)(tensor, take);
}

}  // namespace lockstep::nn
