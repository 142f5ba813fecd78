// An image as a PNG file, by libpng.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lockstep::report {

// pixels (height, width, 3): red, green and blue of each, 0 to 255. Throws ShapeError where they are not so
// many.
std::string png(std::size_t width, std::size_t height, std::string_view pixels);

}  // namespace lockstep::report
