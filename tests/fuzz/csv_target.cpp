// CSV files. The first byte says which data.header and data.task; up to a zero byte follow, with semicolons
// between them, data.target, one of data.ignore, one of data.columns, one of data.categories, and a byte that
// says which data.missing, data.unseen_category, data.target_scale, data.stratify and data.folds. Then come
// the file and, after another zero byte, perhaps a test file, which is also read as one without targets. Zero
// bytes within a file are written as 0xFF 0x30.
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
  return {
      input_of({"0", flowers}),
      input_of({"0kind", flowers, flowers}),
      input_of({"11", points}),
      input_of({"3", "x,y\n0.5,1e-3\n\"1\",\"2\"\n"}),
      input_of({"2", points, points}),
      input_of({"0", "name,\"a \"\"quoted\"\" one\"\n1,2\n3,4\n"}),
      input_of({"0", "a;b;c\n1;2;3\n"}),
      input_of({"0;id;;;1", "id,colour,size,kind\n1,red,,a\n2,?,3,b\n3,red,NA,a\n", "colour,size\nred,1\n"}),
      input_of({"0kind;;;size;5", "size,kind\n1,a\n2,b\n?,b\n1,a\n", "size,kind\n3,b\n"}),
      input_of({"3;;b;;6", "a,b,y\n1,2,1e3\n1,3,2e3\n2,4,5\n", "a,b,y\n3,1,1\n"}),
      input_of({"0;;;;T", "x,kind\n1,a\n2,a\n3,b\n4,b\n5,a\n6,b\n"})};
}

}  // namespace lockstep::fuzz

namespace {

using namespace lockstep;

void expect_finite(const data::SampleStore& store, const data::DatasetInfo& info) {
  if (store.width != info.features()) fuzz::found("a sample of another width");
  for (const double x : store.values)
    if (!std::isfinite(x)) fuzz::found("a feature that is not finite");
}

void check(const data::Csv& csv) {
  const data::DatasetInfo info = csv.info();
  if (!info.channel_names.empty() && info.channel_names.size() != info.channels)
    fuzz::found("another number of names than of features");
  for (const auto split : {data::Split::kTrain, data::Split::kTest}) {
    std::vector<std::uint32_t> all(info.samples(split));
    std::iota(all.begin(), all.end(), 0U);
    const data::SampleStore store = csv.load(split, all);
    expect_finite(store, info);
    for (const float target : store.targets)
      if (!std::isfinite(target) ||
          (info.classes > 0 && !(target >= 0.0F && target < static_cast<float>(info.classes))))
        fuzz::found("a target that is not a class, or not finite");
  }
}

// The texts between semicolons.
std::vector<std::string> names_of(const std::string& text) {
  std::vector<std::string> names(1);
  for (const char c : text) {
    if (c == ';')
      names.emplace_back();
    else
      names.back() += c;
  }
  return names;
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
  const auto names = names_of(parts[0].substr(1));
  options.target = names[0];
  std::vector<std::string>* const lists[] = {&options.ignore, &options.columns, &options.categories};
  for (std::size_t i = 1; i < names.size() && i <= std::size(lists); ++i)
    if (!names[i].empty()) lists[i - 1]->push_back(names[i]);
  if (names.size() > 4 && !names[4].empty()) {
    const auto more = static_cast<std::uint8_t>(names[4][0]);
    options.missing = static_cast<data::Missing>(more % 3);
    options.unseen_category = static_cast<data::UnseenCategory>(more / 3 % 2);
    options.target_scale = static_cast<data::TargetScale>(more / 6 % 2);
    options.stratify = more / 12 % 2 == 1;
    if (more / 24 % 2 == 1) options.folds = 2;
  }
  options.file = train.path();
  train.write(with_zeros(parts[1]));
  if (parts.size() > 2) {
    options.test_file = test.path();
    test.write(with_zeros(parts[2]));
  }
  fuzz::accepts([&] { check(data::Csv(options)); });
  if (parts.size() <= 2) return 0;
  options.test_file.clear();
  fuzz::accepts([&] {
    const data::DatasetInfo info = data::Csv(options).info();
    expect_finite(data::read_unlabelled(test.path(), *info.csv, options, 0, 1).store, info);
  });
  return 0;
}
