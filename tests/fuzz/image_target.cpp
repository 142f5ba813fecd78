// PNG, PGM and PPM images. The first byte says whether an image of 2 x 3 pixels is expected, and with how
// many channels; the rest are a file's bytes.
#include <png.h>

#include "data/image_file.h"
#include "fuzz.h"

namespace lockstep::fuzz {
namespace {

std::string png_of(unsigned format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 3;
  image.height = 2;
  image.format = format;
  const char pixels[] = "abcdefghijklmnopqrstuvwx";
  std::string file(1000, '\0');
  png_alloc_size_t size = file.size();
  ::png_image_write_to_memory(&image, file.data(), &size, 0, pixels, 0, nullptr);
  file.resize(size);
  return file;
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string anything("\0", 1), grey("\1", 1), colour("\3", 1);
  return {anything + png_of(PNG_FORMAT_GRAY), colour + png_of(PNG_FORMAT_RGB),
          colour + png_of(PNG_FORMAT_RGBA),   grey + png_of(PNG_FORMAT_GA),
          colour + "P5 3 2 255\nabcdef",      anything + "P6\n# comment\n3 2\n255\nabcdefghijklmnopqr"};
}

}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  if (size == 0) return 0;
  std::optional<data::ImageSize> expected;
  if (data[0] % 4 != 0) expected = {data[0] % 4 == 1 ? std::size_t{1} : std::size_t{3}, 2, 3};
  fuzz::accepts([&] {
    const data::DecodedImage image = data::decode_image(fuzz::text_of(data + 1, size - 1), "a.png", expected);
    if (image.pixels.size() != image.size.channels * image.size.height * image.size.width)
      fuzz::found("another number of pixels than the size says");
    if (expected &&
        (image.size.channels != expected->channels || image.size.height != 2 || image.size.width != 3))
      fuzz::found("an image of another size than was expected");
  });
  return 0;
}
