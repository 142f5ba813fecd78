// What lockstep eval writes for pictures: tables as CSV, weights as an image.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "run/tiles.h"
#include "train/evaluator.h"

namespace lockstep::run {

// Classes are called as the data set calls them, values are in its units.

// With two inputs and classes: "x0,x1,predicted,p_cat,p_dog,...", a class and each class's probability at
// 200 x 200 points around the samples, x0 running fastest. With one input and values: "x0,output" at 1001
// points from the smallest sample to the largest, and "target" where the function is known. Throws
// ConfigError for other networks.
std::string grid_table(const data::Dataset& dataset, const train::Evaluator::Network& network, int threads);

// side x side points around the samples of a set of two features, x0 running fastest.
data::SampleStore plane_points(const data::Dataset& dataset, std::size_t side);
// ",p_cat,p_dog": the columns of classes' probabilities.
std::string probability_columns(const data::DatasetInfo& info);
// A row for each of the evaluator's points: what begin(point, predicted class) says, then the probabilities.
std::string plane_rows(
    const data::DatasetInfo& info, train::Evaluator& points, const train::Evaluator::Network& network,
    int threads,
    const std::function<std::string(std::span<const double> point, std::size_t predicted)>& begin);

// All samples: "x0,x1,class,split" or "x0,target,split"; split is train or test.
std::string points_table(const data::Dataset& dataset);

// counts (classes, classes), as Evaluator::confusion gives them: a row for each true class, a column for each
// predicted one.
std::string confusion_table(const data::DatasetInfo& info, std::span<const std::int64_t> counts);

// Samples of a table of predictions: which they are, and whether their targets are known.
struct Predicted {
  std::vector<std::uint32_t> file_rows;  // Dataset::file_rows
  bool labelled = true;
};

// "row,actual,predicted,p_cat,p_dog,...,o0,o1,...", or, where the targets are values, "row,actual,predicted".
// Without labels there is no "actual".
std::string prediction_header(const data::DatasetInfo& info, const nn::Model& model, bool labelled);

// A row for each of the evaluator's samples: its row in the file, its class or value, what the network takes
// it for, the probability of each class, and the network's outputs, as they enter the loss. The same bytes
// from any part of the split.
std::string prediction_rows(const data::DatasetInfo& info, const Predicted& samples,
                            train::Evaluator& evaluator, const train::Evaluator::Network& network,
                            int threads);

// "cat: 45.2 % of 1000".
std::string class_line(const data::DatasetInfo& info, std::span<const std::int64_t> counts,
                       std::size_t label);

// The weights of the first layer that has any, as an image: a tile for each unit, its weights on the pixels,
// or for each filter of a convolution. A binary PPM. Grey is 0; a tile's largest magnitude is black or full
// colour. Throws ConfigError where the inputs are not square images of 1 or 3 channels, or the layer is not
// of these.
std::string weight_images(const data::DatasetInfo& info, const nn::Model& model,
                          std::span<const float> arena);
// The same before it is a file; nothing where that would throw.
std::optional<Tiles> weight_tiles(const data::DatasetInfo& info, const nn::Model& model,
                                  std::span<const float> arena);

// Such counts as confusion_table has as an image: a square for each, the darker the larger its part of the
// row.
Tiles confusion_tiles(std::size_t classes, std::span<const std::int64_t> counts);

// "layer,description,name,outputs,parameters,added": a row for the input, layer 0, and for each layer, from 1
// on. Outputs are "32x16x16" of images, channels first; added: the layer whose outputs are added, "" for
// none.
std::string network_table(const data::DatasetInfo& info, const nn::Model& model);

}  // namespace lockstep::run
