// IDX files, plain or gzipped. The first byte says how many dimensions are expected and whether items are
// read or passed over; the rest are a file's bytes.
#include <zlib.h>

#include "data/idx_file.h"
#include "fuzz.h"

namespace lockstep::fuzz {
namespace {

std::string gzipped(const std::string& content) {
  MemoryFile file;
  gzFile out = ::gzopen(file.path().c_str(), "wb");
  ::gzwrite(out, content.data(), static_cast<unsigned>(content.size()));
  ::gzclose(out);
  return file.content();
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string images(
      "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03"
      "abcdefghijkl",
      28);
  const std::string labels("\0\0\x08\x01\0\0\0\x03\x01\x02\x09", 11);
  return {"\x03" + images,          "\x13" + images,          "\x01" + labels,
          "\x03" + gzipped(images), "\x01" + gzipped(labels), "\x03" + labels};
}

}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  static fuzz::MemoryFile file;
  if (size == 0) return 0;
  file.write(fuzz::text_of(data + 1, size - 1));
  fuzz::accepts([&] {
    data::IdxFile idx(file.path(), 1 + data[0] % 4, "images");
    std::vector<std::uint8_t> item(idx.item_bytes());
    if (data[0] >= 16)
      idx.skip(idx.sizes()[0]);
    else
      for (std::size_t i = 0; i < idx.sizes()[0]; ++i) idx.read(item);
    idx.expect_end();
  });
  return 0;
}
