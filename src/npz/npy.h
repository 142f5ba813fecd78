// The .npy format of NumPy, one array: a magic number, a header that is a Python literal, the elements.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html gives the format.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::npz {

// What a header says.
struct ArrayType {
  std::string descr;               // NumPy's name of the elements' type, such as "<f4"
  std::vector<std::size_t> shape;  // () has none
  bool fortran_order = false;      // the first index runs fastest
  std::size_t header = 0;          // bytes before the elements

  char kind() const { return descr[1]; }  // f: floats, i, u: integers, b: bool, U: text
  bool big_endian() const { return descr[0] == '>'; }
  std::size_t item_size() const;  // bytes of an element
  std::size_t count() const;      // of elements
  std::size_t bytes() const { return count() * item_size(); }
};

// "(3, 4)", "(3,)", "()", as Python writes a shape.
std::string shape_text(const std::vector<std::size_t>& shape);

// The most bytes that a header may take, magic number and length included.
inline constexpr std::size_t kMaxHeader = 1 << 16;

// Of the beginning of an array's file, kMaxHeader bytes or all there are. Throws DataError, which says what
// was found and what was expected, on bytes that are no such header, on elements that are neither real
// numbers nor text (of objects, complex numbers, records, dates, floats of other than 2, 4 or 8 bytes), and
// on a shape whose bytes overflow.
ArrayType parse_header(std::string_view begin);

// The header of an array in C order, its length a multiple of 64.
std::string header_of(const std::string& descr, const std::vector<std::size_t>& shape);

// The elements in C order as doubles. content: type.bytes() of them. 64-bit integers are rounded to the
// nearest double. Requires: no text.
std::vector<double> values_of(const ArrayType& type, std::string_view content);

// Text of kind U as UTF-8, and back. A character that is none becomes U+FFFD; zeros at the end are no part of
// it.
std::string text_of(const ArrayType& type, std::string_view content);
std::string to_utf32(std::string_view utf8);

}  // namespace lockstep::npz
