#include "npz/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/float16.h"

namespace lockstep::npz {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

// Reads the Python literal of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class Literal {
 public:
  explicit Literal(std::string_view text) : left_(text) {}

  ArrayType read() {
    ArrayType type;
    bool has_order = false, has_shape = false;
    expect("{");
    while (!next("}")) {
      const std::string key = text();
      expect(":");
      if (key == "descr" && type.descr.empty())
        type.descr = descr();
      else if (key == "fortran_order" && !has_order)
        has_order = true, type.fortran_order = truth();
      else if (key == "shape" && !has_shape)
        has_shape = true, type.shape = tuple();
      else
        bad();
      if (!next(",")) {
        expect("}");
        break;
      }
    }
    skip();
    if (!left_.empty() || type.descr.empty() || !has_order || !has_shape) bad();
    return type;
  }

 private:
  [[noreturn]] static void bad() {
    throw DataError(
        "has a header that cannot be read, expected descr, fortran_order and shape, as NumPy writes");
  }
  void skip() { left_.remove_prefix(std::min(left_.find_first_not_of(" \n"), left_.size())); }
  bool next(std::string_view token) {
    skip();
    if (!left_.starts_with(token)) return false;
    left_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!next(token)) bad();
  }
  std::string text() {
    expect("'");
    const std::size_t end = left_.find('\'');
    if (end == std::string_view::npos) bad();
    std::string result(left_.substr(0, end));
    left_.remove_prefix(end + 1);
    return result;
  }
  std::string descr() {
    if (next("[")) throw DataError("holds records, expected real numbers (float32 or float64)");
    std::string result = text();
    if (result.empty()) bad();
    return result;
  }
  bool truth() {
    if (next("True")) return true;
    expect("False");
    return false;
  }
  std::size_t number() {
    skip();
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), value);
    if (error != std::errc()) bad();
    left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
    return value;
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> result;
    expect("(");
    while (!next(")")) {
      result.push_back(number());
      if (!next(",")) {
        expect(")");
        break;
      }
    }
    return result;
  }

  std::string_view left_;
};

// The size in a descr such as "<f4"; 0 where there is none.
std::size_t size_in(std::string_view descr) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(descr.data() + 2, descr.data() + descr.size(), size);
  return error == std::errc() && end == descr.data() + descr.size() ? size : 0;
}

// Throws DataError unless elements of this type can be read.
void check_type(const ArrayType& type) {
  const std::string& descr = type.descr;
  const auto refuse = [&](std::string_view what) {
    throw DataError(fmt::format("holds {} ({}), expected real numbers (float32 or float64)", what, descr));
  };
  if (descr.size() < 2 || std::string_view("<>|=").find(descr[0]) == std::string_view::npos)
    refuse("elements of an unknown type");
  const std::size_t size = size_in(descr);
  switch (type.kind()) {
    case 'f':
      if (size != 2 && size != 4 && size != 8) refuse("floats of another size");
      return;
    case 'i':
    case 'u':
      if (size != 1 && size != 2 && size != 4 && size != 8) refuse("integers of another size");
      return;
    case 'b':
      if (size != 1) refuse("truth values of another size");
      return;
    case 'U':
      if (size > std::numeric_limits<std::uint32_t>::max() || !descr.ends_with(std::to_string(size)))
        refuse("text of no length");
      return;
    case 'c':
      refuse("complex numbers");
      return;
    case 'O':
      refuse("Python objects");
      return;
    default:
      refuse("elements that are no numbers");
  }
}

template <typename T>
T element(const char* from, bool big_endian) {
  unsigned char bytes[sizeof(T)];
  std::memcpy(bytes, from, sizeof(T));
  if (big_endian) std::reverse(bytes, bytes + sizeof(T));
  return std::bit_cast<T>(bytes);
}

// Of the type's elements: what makes a double of the bytes of one.
using Reader = double (*)(const char* from, bool big_endian);
template <typename T>
double read_as(const char* from, bool big_endian) {
  return static_cast<double>(element<T>(from, big_endian));
}
double read_half(const char* from, bool big_endian) {
  return from_float16(element<std::uint16_t>(from, big_endian));
}
Reader reader_of(const ArrayType& type) {
  const std::size_t size = type.item_size();
  switch (type.kind()) {
    case 'f':
      return size == 2 ? read_half : size == 4 ? read_as<float> : read_as<double>;
    case 'i':
      return size == 1   ? read_as<std::int8_t>
             : size == 2 ? read_as<std::int16_t>
             : size == 4 ? read_as<std::int32_t>
                         : read_as<std::int64_t>;
    case 'u':
    case 'b':
      return size == 1   ? read_as<std::uint8_t>
             : size == 2 ? read_as<std::uint16_t>
             : size == 4 ? read_as<std::uint32_t>
                         : read_as<std::uint64_t>;
    default:
      throw ShapeError("values_of: the array holds text");
  }
}

static_assert(std::endian::native == std::endian::little,
              "NumPy's \"=\" and \"|\" are read as little-endian");

}  // namespace

std::size_t ArrayType::item_size() const { return size_in(descr) * (kind() == 'U' ? 4 : 1); }

std::size_t ArrayType::count() const {
  std::size_t count = 1;
  for (const std::size_t length : shape) count *= length;
  return count;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

ArrayType parse_header(std::string_view begin) {
  if (!begin.starts_with(kMagic) || begin.size() < 10)
    throw DataError("is no array of NumPy, expected the bytes \\x93NUMPY first");
  const int version = static_cast<unsigned char>(begin[6]);
  if (version < 1 || version > 3)
    throw DataError(fmt::format("has version {} of NumPy's format, expected 1 to 3", version));
  const std::size_t of_length = version == 1 ? 2 : 4, start = 8 + of_length;
  if (begin.size() < start) throw DataError("ends within its header");
  std::size_t length = 0;
  for (std::size_t i = 0; i < of_length; ++i)
    length |= std::size_t{static_cast<unsigned char>(begin[8 + i])} << (8 * i);
  if (length > begin.size() - start)
    throw DataError(
        fmt::format("has a header of {} bytes, of which {} are there", length, begin.size() - start));
  ArrayType type = Literal(begin.substr(start, length)).read();
  type.header = start + length;
  check_type(type);
  std::size_t bytes = std::max<std::size_t>(1, type.item_size());
  for (const std::size_t n : type.shape) {
    if (n != 0 && bytes > std::numeric_limits<std::size_t>::max() / n / 2)
      throw DataError(fmt::format("has the shape {}, which overflows", shape_text(type.shape)));
    bytes *= std::max<std::size_t>(1, n);
  }
  return type;
}

std::string header_of(const std::string& descr, const std::vector<std::size_t>& shape) {
  constexpr std::size_t kStart = 10, kAlignment = 64;
  std::string literal =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr, shape_text(shape));
  const std::size_t used = kStart + literal.size() + 1;
  literal.append((kAlignment - used % kAlignment) % kAlignment, ' ').append(1, '\n');
  std::string header(kMagic);
  header.append(
      {'\1', '\0', static_cast<char>(literal.size() & 255), static_cast<char>(literal.size() >> 8)});
  return header + literal;
}

std::vector<double> values_of(const ArrayType& type, std::string_view content) {
  require(content.size() == type.bytes(), "values_of: the bytes are not the array's");
  const Reader read = reader_of(type);
  const std::size_t count = type.count(), item = type.item_size(), dimensions = type.shape.size();
  std::vector<double> values(count);
  if (!type.fortran_order || dimensions < 2) {
    for (std::size_t i = 0; i < count; ++i) values[i] = read(content.data() + i * item, type.big_endian());
    return values;
  }
  std::vector<std::size_t> index(dimensions);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t to = 0;
    for (std::size_t d = 0; d < dimensions; ++d) to = to * type.shape[d] + index[d];
    values[to] = read(content.data() + i * item, type.big_endian());
    for (std::size_t d = 0; d < dimensions && ++index[d] == type.shape[d]; ++d) index[d] = 0;
  }
  return values;
}

std::string text_of(const ArrayType& type, std::string_view content) {
  require(type.kind() == 'U' && content.size() == type.bytes(), "text_of: the bytes are not the text's");
  std::string text;
  for (std::size_t at = 0; at < content.size(); at += 4) {
    auto c = element<std::uint32_t>(content.data() + at, type.big_endian());
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) c = 0xfffd;
    const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) {
      text += static_cast<char>(c);
    } else if (c < 0x800) {
      text += static_cast<char>(0xc0 | c >> 6), tail(0);
    } else if (c < 0x10000) {
      text += static_cast<char>(0xe0 | c >> 12), tail(6), tail(0);
    } else {
      text += static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0);
    }
  }
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

std::string to_utf32(std::string_view utf8) {
  std::string result;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[at++]);
    const int tails = first < 0x80                    ? 0
                      : first >= 0xf0 && first < 0xf5 ? 3
                      : first >= 0xe0 && first < 0xf0 ? 2
                      : first >= 0xc2 && first < 0xe0 ? 1
                                                      : -1;
    std::uint32_t c = tails <= 0 ? first : first & (0x3fU >> tails);
    int left = tails;
    for (; left > 0 && at < utf8.size() && (utf8[at] & 0xc0) == 0x80; --left)
      c = c << 6 | (static_cast<unsigned char>(utf8[at++]) & 0x3fU);
    if (tails < 0 || left > 0) c = 0xfffd;
    for (int shift = 0; shift < 32; shift += 8) result += static_cast<char>(c >> shift & 255);
  }
  return result;
}

}  // namespace lockstep::npz
