// MNIST and the sets in its form: a file of images and one of labels (0..9) to train on, and two to test on,
// in the IDX format, plain or gzipped, named as they are published: train-images-idx3-ubyte and so on.
// Sources: LeCun, Cortes, Burges, "The MNIST database of handwritten digits"; Xiao, Rasul, Vollgraf,
// "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms" (2017).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace lockstep::data {

class Mnist final : public Dataset {
 public:
  // options.dataset: "mnist" or "fashion_mnist", which differ in their classes' names. options.dir: where the
  // four files are; empty: data/mnist or data/fashion-mnist. Any number and size of images is taken, as long
  // as all have the same size. Reads everything once. Throws DataError, which names the file, what was found
  // and what was expected.
  explicit Mnist(const DataOptions& options);

  DatasetInfo info() const override;
  SampleStore load(Split split, std::span<const std::uint32_t> samples) const override;
  std::vector<FileHash> files() const override;

 private:
  struct Part {
    std::filesystem::path image_file, label_file;
    std::uint64_t image_hash = 0, label_hash = 0;
    std::size_t height = 0, width = 0;
    std::vector<std::uint8_t> labels = {};
  };
  static Part read_part(const std::filesystem::path& folder, Split split);
  const Part& part(Split split) const { return split == Split::kTrain ? train_ : test_; }

  std::string name_;
  Part train_, test_;
};

// Where the four files are, for options as the constructor takes them; those that are missing under the name
// that is usual without an ending.
std::vector<std::filesystem::path> mnist_files(const DataOptions& options);

}  // namespace lockstep::data
