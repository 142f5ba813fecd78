// What a network was trained on goes through a file's metadata and prepares the same inputs, bit for bit.
#include "data/schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <tuple>

#include "base/error.h"
#include "data/csv_files.h"
#include "data/normalized.h"
#include "support.h"

namespace lockstep::data {
namespace {

DatasetInfo info_of(bool pixels, std::size_t channels, std::size_t channel_size) {
  DatasetInfo info;
  info.name = "some.csv";
  info.pixels = pixels;
  info.channels = channels;
  info.channel_size = channel_size;
  info.classes = 3;
  info.class_names = {"a", "caf\xe9", "\"c\"\n"};  // one of them no UTF-8
  info.train_samples = 17;
  return info;
}

Schema written_and_read(const Schema& schema) { return Schema::parse(schema.to_json(), "model.safetensors"); }

using test::kNormalizations;

TEST(Schema, NumbersAreNormalizedAfterwardsAsBefore) {
  SampleStore samples = SampleStore::of_values(17, 4);
  const auto draws = test::random_floats(samples.values.size(), 3);
  constexpr double kScales[] = {1.0, 1e300, 1e-299, 0.0};
  for (std::size_t k = 0; k < draws.size(); ++k) samples.values[k] = kScales[k % 4] * (0.1 + draws[k]);
  const DatasetInfo info = info_of(false, 4, 1);
  for (const Normalization kind : kNormalizations) {
    const Schema schema{info, Normalizer(kind, info, samples, {}), {"0123456789abcdef", ""}};
    const Schema read = written_and_read(schema);
    EXPECT_EQ(read.normalizer.kind(), kind);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      std::vector<float> before(4), after(4);
      schema.normalizer.apply(samples, i, before);
      read.normalizer.apply(samples, i, after);
      EXPECT_TRUE(test::same_bits(before, after)) << name(kind) << ", sample " << i;
    }
  }
}

TEST(Schema, PixelsAreNormalizedAfterwardsAsBefore) {
  SampleStore samples = SampleStore::of_pixels(17, 6);
  for (std::size_t k = 0; k < samples.pixels.size(); ++k)
    samples.pixels[k] = static_cast<std::uint8_t>(k * 37);
  const DatasetInfo info = info_of(true, 3, 2);
  for (const Normalization kind : kNormalizations) {
    const Schema schema{info, Normalizer(kind, info, samples, {}), {}};
    const Schema read = written_and_read(schema);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      std::vector<float> before(6), after(6);
      schema.normalizer.apply(samples, i, before);
      read.normalizer.apply(samples, i, after);
      EXPECT_TRUE(test::same_bits(before, after)) << name(kind) << ", sample " << i;
    }
  }
}

TEST(Schema, NamesAndShapesComeBackWhateverTheirBytes) {
  const DatasetInfo info = info_of(true, 3, 2);
  const Schema read =
      written_and_read({info, Normalizer(Normalization::kNone, info, SampleStore{}, {}), {"aa", "bb"}});
  EXPECT_EQ(read.info.name, info.name);
  EXPECT_EQ(read.info.class_names, info.class_names);
  EXPECT_TRUE(read.info.channel_names.empty());
  EXPECT_EQ(read.info.channels, 3U);
  EXPECT_EQ(read.info.channel_size, 2U);
  EXPECT_EQ(read.info.classes, 3U);
  EXPECT_TRUE(read.info.pixels);
  EXPECT_EQ(read.fingerprint, (Fingerprint{"aa", "bb"}));
}

TEST(Schema, AnImageComesBackAndOneOfOtherSizeIsRefused) {
  DatasetInfo info = info_of(false, 12, 1);
  const auto schema_of = [&] {
    return Schema{info, Normalizer(Normalization::kNone, info, SampleStore{}, {}), {}};
  };
  EXPECT_FALSE(written_and_read(schema_of()).info.image.has_value());
  info.image = ImageSize{2, 3, 2};
  const auto image = written_and_read(schema_of()).info.image;
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(std::tuple(image->channels, image->height, image->width), std::tuple(2U, 3U, 2U));
  for (const ImageSize& size :
       {ImageSize{2, 3, 3}, ImageSize{0, 3, 2}, ImageSize{2, std::size_t{1} << 63, 2}}) {
    info.image = size;
    test::expect_line_with(test::message_of<ModelError>([&] { written_and_read(schema_of()); }),
                           {"model.safetensors", "expected 12 features"});
  }
}

TEST(Schema, ATextThatIsNoneIsRefusedWithTheFilesName) {
  const DatasetInfo info = info_of(false, 2, 1);
  const auto good = nlohmann::json::parse(
      Schema{info, Normalizer(Normalization::kMeanStd, false, {{0.0, 1.0}, {1.0, 2.0}}), {}}.to_json());
  const auto refused = [](const nlohmann::json& object, const std::string& part) {
    test::expect_line_with(
        test::message_of<ModelError>([&] { Schema::parse(object.dump(), "model.safetensors"); }),
        {"model.safetensors", part});
  };
  for (const char* key : {"channels", "classes", "class_names", "normalize", "fingerprint"}) {
    auto object = good;
    object.erase(key);
    refused(object, key);
    object[key] = "x";
    refused(object, "not readable");
  }
  auto object = good;
  object["normalize"]["kind"] = "median";
  refused(object, "median");
  object = good;
  object["normalize"]["scale"] = {1.0, 2.0, 3.0};
  refused(object, "expected 2 finite numbers");
  object = good;
  object["class_names"] = {"a"};
  refused(object, "expected 3");
  object = good;
  object["channels"] = 1ULL << 40;
  refused(object, "channels");
  test::expect_line_with(test::message_of<ModelError>([] { Schema::parse("{", "model.safetensors"); }),
                         {"model.safetensors", "not readable"});
}

// A file that is evaluated, or trained on further, by a network of other data.
class OfTrained : public test::CsvFiles {
 protected:
  OfTrained() {
    trained_ = Csv(options_for(write("x,y,label\n1,2,b\n3,4,a\n5,6,c\n"))).info();
    trained_numbers_ = Csv(options_for(write("1,2,10\n3,4,9\n5,6,2\n"))).info();
  }
  std::vector<float> targets(const std::string& text, const DatasetInfo& trained) const {
    return test::load_all(*open_dataset(options_for(write(text, "other.csv")), &trained)).targets;
  }
  void expect_refused(const std::string& text, std::initializer_list<std::string> parts) const {
    test::expect_line_with(test::message_of<DataError>([&] { targets(text, trained_); }), parts);
  }
  DatasetInfo trained_, trained_numbers_;
};

TEST_F(OfTrained, ClassesHaveTheNumbersThatTheNetworkKnows) {
  using Floats = std::vector<float>;
  EXPECT_EQ(targets("x,y,label\n1,2,c\n3,4,b\n", trained_), (Floats{2, 1}));
  EXPECT_EQ(targets("x,y,label\n1,2,c\n", trained_), (Floats{2}));  // one class is enough
  EXPECT_EQ(targets("1,2,9\n1,2,10\n", trained_numbers_), (Floats{1, 2}));
  const auto info = open_dataset(options_for(write("x,y,label\n1,2,c\n", "other.csv")), &trained_)->info();
  EXPECT_EQ(info.classes, 3U);
  EXPECT_EQ(info.class_names, trained_.class_names);
}

TEST_F(OfTrained, OtherColumnsAndClassesAreNamed) {
  expect_refused("x,y,label\n1,2,b\n1,2,d\n",
                 {"other.csv:3: ", "column \"label\" is \"d\"", "one of the classes a, b, c"});
  expect_refused("x,z,label\n1,2,b\n", {"other.csv:1: has no column \"y\"", "train.csv"});
  expect_refused("1,2,3,b\n", {"other.csv: has 4 columns, expected 3", "train.csv"});
}

TEST_F(OfTrained, TestSamplesAloneAreEnough) {
  DataOptions options = options_for("");
  options.test_file = write("x,y,label\n1,2,c\n", "test.csv");
  const auto dataset = open_dataset(options, &trained_);
  EXPECT_EQ(dataset->info().train_samples, 0U);
  EXPECT_EQ(test::load_all(*dataset, Split::kTest).targets, (std::vector<float>{2}));
  EXPECT_THROW(open_dataset(options), ConfigError);
}

TEST_F(OfTrained, OtherKindsOfDataAreRefused) {
  DataOptions images;
  images.dataset = "synthetic";
  test::expect_line_with(test::message_of<DataError>([&] { open_dataset(images, &trained_); }),
                         {"synthetic: has 3072 pixels a sample", "expected 2 numbers", "train.csv"});
  DataOptions points;
  points.dataset = "circle";
  test::expect_line_with(test::message_of<DataError>([&] { open_dataset(points, &trained_); }),
                         {"circle: has 2 classes", "expected 3 classes"});
}

}  // namespace
}  // namespace lockstep::data
