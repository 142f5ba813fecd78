#include "run/film.h"

#include <fmt/format.h>

#include "base/error.h"
#include "run/tables.h"

namespace lockstep::run {
namespace {

constexpr std::size_t kSide = 48, kPictures = 50;

train::Evaluator points_around(const config::RunConfig& run, const data::DatasetInfo& info) {
  if (info.pixels || info.features() != 2 || info.classes == 0)
    throw ConfigError(fmt::format(
        "log.film is true and the network has {} input{} and {}, expected 2 inputs "
        "and classes",
        info.features(), info.features() == 1 ? "" : "s", info.classes > 0 ? "classes" : "a value"));
  return train::Evaluator(plane_points(*data::open_dataset(run.data, &info), kSide));
}

}  // namespace

std::string film_header(const data::DatasetInfo& info) { return "epoch,x0,x1" + probability_columns(info); }

Film::Film(const Experiment& experiment, const config::RunConfig& run, int threads)
    : experiment_(experiment), run_(run), threads_(threads), points_(points_around(run, experiment.info())) {}

bool Film::wants(std::size_t epoch) const {
  const std::size_t every = (run_.train.epochs + kPictures - 1) / kPictures;
  return epoch % every == 0 || epoch == run_.train.epochs;
}

std::string Film::rows(std::size_t epoch, std::span<const float> weights) {
  const train::Evaluator::Network network{.model = experiment_.model(),
                                          .arena = weights,
                                          .normalizer = experiment_.normalizer(),
                                          .loss = run_.model.loss};
  return plane_rows(experiment_.info(), points_, network, threads_,
                    [&](std::span<const double> point, std::size_t) {
                      return fmt::format("{},{:.6g},{:.6g}", epoch, point[0], point[1]);
                    });
}

}  // namespace lockstep::run
