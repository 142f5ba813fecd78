// What a network was trained on: all that its inputs and outputs mean. It goes with the weights, so that they
// can be used without the training data: what is evaluated or trained further is prepared as that was.
#pragma once

#include <string>

#include "data/dataset.h"
#include "data/fingerprint.h"
#include "data/normalizer.h"

namespace lockstep::data {

struct Schema {
  DatasetInfo info;  // of the training data: its shape, the names of its channels and classes; no samples
  Normalizer normalizer;
  Fingerprint fingerprint;

  // One JSON object, for a weight file's metadata under kKey. Every number comes back as it was.
  static constexpr const char* kKey = "trained_on";
  std::string to_json() const;

  // Throws ModelError, which names the file `name`, where the text is not such an object.
  static Schema parse(const std::string& text, const std::string& name);

  // "d.csv: 2 features (x, y), 3 classes (a, b, c), mean_std".
  std::string description() const;
};

}  // namespace lockstep::data
