// How what a network says over the plane changes from epoch to epoch: what log.film writes to film.csv.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "data/dataset.h"
#include "run/experiment.h"
#include "train/evaluator.h"

namespace lockstep::run {

// "epoch,x0,x1,p_cat,p_dog,..."
std::string film_header(const data::DatasetInfo& info);

// On rank 0 alone, which computes it all: the same at any number of ranks.
class Film {
 public:
  // Throws ConfigError unless the network has two inputs, and classes. What is referred to must outlive it.
  Film(const Experiment& experiment, const config::RunConfig& run, int threads);

  // Whether there is a picture of this epoch: of at most 50 of them, evenly spaced, the last among them.
  bool wants(std::size_t epoch) const;
  // The probability of each class, as the network with these weights has it, at 48 x 48 points around the
  // samples, x0 running fastest.
  std::string rows(std::size_t epoch, std::span<const float> weights);

 private:
  const Experiment& experiment_;
  const config::RunConfig& run_;
  int threads_;
  train::Evaluator points_;
};

}  // namespace lockstep::run
