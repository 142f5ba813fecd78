// What the [data] section of a configuration decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::data {

enum class Shuffle { kShards, kNone };                        // shard_plan.h says what they do
enum class Normalization { kNone, kScale, kMean, kMeanStd };  // normalizer.h gives the formulas

inline constexpr const char* kNormalizationNames[] = {"none", "scale", "mean", "mean_std"};
inline const char* name(Normalization kind) { return kNormalizationNames[static_cast<int>(kind)]; }

enum class Header { kAuto, kYes, kNo };  // csv.h says what they mean
enum class Task { kClassification, kRegression };
enum class Missing { kRefuse, kMean, kDrop };   // cells of CSV files: csv_columns.h says what they become
enum class UnseenCategory { kRefuse, kZeros };  // of samples that are not trained on
enum class TargetScale { kNone, kMeanStd };     // of values: as they are, or (v - mean) / stddev
enum class Function { kSine, kKink };           // function_table.h gives the formulas

enum class Labels { kFine, kCoarse };  // of CIFAR-100: 100 classes or 20

enum class Flip { kNone, kRandom, kAlternate };  // of training images: augmentation.h says what they do
enum class ShiftPadding { kReflect, kZero };     // view.h says what they do

// The [data.augment] section; augmentation.h says what it does.
struct AugmentOptions {
  Flip flip = Flip::kNone;
  std::size_t shift = 0;  // pixels
  ShiftPadding shift_padding = ShiftPadding::kReflect;
  std::size_t cutout = 0;  // pixels, a side of the square
};

inline constexpr const char* kDatasetNames[] = {"cifar10",  "synthetic",     "csv",    "circle",   "xor",
                                                "gaussian", "spiral",        "flower", "function", "cifar100",
                                                "mnist",    "fashion_mnist", "numpy",  "images"};

struct DataOptions {
  std::string dataset = "cifar10";
  std::filesystem::path dir;  // of sets in folders; empty: where cifar.h and mnist.h say
  Labels labels = Labels::kFine;

  // Of the sets that are made up point by point:
  std::size_t n = 400;
  double noise = 0.0;
  std::uint64_t seed = 1;               // of its draws, of what is set aside for testing, and of the folds
  Function function = Function::kSine;  // of "function"
  // Of CSV files and arrays of NumPy:
  std::filesystem::path file, test_file;
  Header header = Header::kAuto;
  std::string target;  // the column's name, or its number from 1 on; empty: the last; or an array's name
  std::string features, test_features, test_target;  // other arrays; empty: numpy_set.h says which
  Task task = Task::kClassification;
  std::vector<std::string> columns;  // the features, by name or number from 1 on; empty: all but the target
  std::vector<std::string> ignore;   // or all but these and the target
  std::vector<std::string> categories;  // columns whose numbers are categories
  Missing missing = Missing::kRefuse;
  UnseenCategory unseen_category = UnseenCategory::kRefuse;
  TargetScale target_scale = TargetScale::kNone;
  // Channels, height and width of a sample that is an image. Empty: a row of a table is none, and of files of
  // images or arrays it is seen.
  std::vector<std::size_t> image;
  // Of all that come undivided:
  double test_fraction = 0.0;  // of the samples, set aside for testing

  bool stratify = false;  // each class gives the test samples and each fold its share
  std::size_t folds = 0;  // 0, or k: train on k-1 of k parts of the training samples, test on part `fold`
  std::size_t fold = 0;
  std::size_t shards = 8;
  Shuffle shuffle = Shuffle::kShards;
  Normalization normalize = Normalization::kMean;
  std::size_t train_samples = 0;  // use the first n only; 0: all
  std::size_t test_samples = 0;
  AugmentOptions augment;
};

}  // namespace lockstep::data
