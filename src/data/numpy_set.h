// Samples from arrays of NumPy: an .npz file, or a folder of .npy files. The first index of an array of
// features and of its array of targets counts the samples.
//
//   features   (N, F)        F numbers, or an image of data.image, channel by channel
//              (N, H, W)     images with one channel
//              (N, C, H, W), (N, H, W, C)  images; data.image says which, or that one of the two has 1 to 4
//   targets    (N) or (N, 1)  whole numbers: the distinct ones, in order, are classes 0, 1, ...; with
//              data.task = "regression" any numbers
//
// Images of unsigned bytes are pixels; whatever else is numbers (bool, integers, float16 to float64).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "npz/array_rows.h"

namespace lockstep::data {

class NumpySet final : public Dataset {
 public:
  // Reads the headers and the targets of options.file and, if set, options.test_file. Arrays are those that
  // the options name, else two with usual names: x_train and y_train, X and y, ... classes: those that there
  // may be, of a network that was trained; empty: those of the training targets. Throws ConfigError where no
  // file is named, or arrays are named that are not there, or it is not clear how images lie; DataError,
  // which names the file and the array, what was found and what was expected.
  NumpySet(const DataOptions& options, const DatasetInfo* trained);

  DatasetInfo info() const override { return info_; }
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;
  std::vector<float> targets(Split split) const override { return part(split).targets; }
  std::vector<FileHash> files() const override;

 private:
  // How a sample lies in its row.
  struct Layout {
    std::optional<ImageSize> image = {};
    bool channels_last = false;
    std::size_t features = 0;
    bool pixels = false;
  };
  struct Part {
    std::shared_ptr<npz::ArrayRows> arrays;  // null: no samples; reading moves its place in the file
    std::size_t features = 0, target = 0;    // which arrays
    std::vector<double> values;              // of the targets, as the file has them
    std::vector<float> targets;              // as they are trained on
    const npz::ArrayInfo& feature_info() const { return arrays->arrays()[features]; }
    const npz::ArrayInfo& target_info() const { return arrays->arrays()[target]; }
    std::string name(const npz::ArrayInfo& array) const;  // "data.npz: x_train"
  };

  const Part& part(Split split) const { return split == Split::kTrain ? train_ : test_; }
  void find_parts(const DataOptions& options);
  void read_targets(Part& part, const DataOptions& options);
  void set_classes(const DataOptions& options, const DatasetInfo* trained);
  static Layout layout_of(const Part& part, const DataOptions& options);

  Part train_, test_;
  Layout layout_;
  DatasetInfo info_;
};

}  // namespace lockstep::data
