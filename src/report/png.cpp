#include "report/png.h"

#include <png.h>

#include "base/error.h"

namespace lockstep::report {

std::string png(std::size_t width, std::size_t height, std::string_view pixels) {
  if (pixels.size() != 3 * width * height) throw ShapeError("png: as many pixels as the image has");
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  std::string file(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = file.size();
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
    throw ShapeError(std::string("png: ") + image.message);
  file.resize(size);
  return file;
}

}  // namespace lockstep::report
