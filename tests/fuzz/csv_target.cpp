// CSV files. The first byte says which data.header and data.task, and up to a zero byte follows data.target;
// then the file, and after another zero byte perhaps a test file. Zero bytes within a file are written as
// 0xFF 0x30.
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "data/csv.h"
#include "fuzz.h"

namespace lockstep::fuzz {

std::vector<std::string> seeds() {
  const std::string flowers = "width,height,kind\n1.5,2,red\n+3e-2,-4,blue\n\n\"5\",6,\"light\nblue\"\n";
  const std::string points =
      "\xef\xbb\xbf"
      "1,2,0\r\n3,4,1\r\n5,6,1\r\n";
  return {input_of({"0", flowers}),         input_of({"0kind", flowers, flowers}),
          input_of({"11", points}),         input_of({"3", "x,y\n0.5,1e-3\n\"1\",\"2\"\n"}),
          input_of({"2", points, points}),  input_of({"0", "name,\"a \"\"quoted\"\" one\"\n1,2\n3,4\n"}),
          input_of({"0", "a;b;c\n1;2;3\n"})};
}

}  // namespace lockstep::fuzz

namespace {

using namespace lockstep;

void check(const data::Csv& csv) {
  const data::DatasetInfo info = csv.info();
  for (const auto split : {data::Split::kTrain, data::Split::kTest}) {
    std::vector<std::uint32_t> all(info.samples(split));
    std::iota(all.begin(), all.end(), 0U);
    const data::SampleStore store = csv.load(split, all);
    for (const double x : store.numbers)
      if (!std::isfinite(x)) fuzz::found("a feature that is not finite");
    for (const float target : store.targets)
      if (!std::isfinite(target) ||
          (info.classes > 0 && !(target >= 0.0F && target < static_cast<float>(info.classes))))
        fuzz::found("a target that is no class, or not finite");
  }
}

std::string with_zeros(std::string text) {
  for (std::size_t at = 0; (at = text.find("\xff\x30", at)) != std::string::npos; ++at)
    text.replace(at, 2, 1, '\0');
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static fuzz::MemoryFile train, test;
  const auto parts = fuzz::parts_of(fuzz::text_of(bytes, size));
  if (parts.size() < 2 || parts[0].empty()) return 0;
  const auto choice = static_cast<std::uint8_t>(parts[0][0]);
  data::DataOptions options;
  options.header = static_cast<data::Header>(choice % 3);
  options.task = choice / 3 % 2 == 0 ? data::Task::kClassification : data::Task::kRegression;
  options.target = parts[0].substr(1);
  options.file = train.path();
  train.write(with_zeros(parts[1]));
  if (parts.size() > 2) {
    options.test_file = test.path();
    test.write(with_zeros(parts[2]));
  }
  fuzz::accepts([&] { check(data::Csv(options)); });
  return 0;
}
