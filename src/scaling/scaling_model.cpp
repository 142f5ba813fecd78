#include "scaling/scaling_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"

namespace lockstep::scaling {
namespace {

using Vector3 = std::array<double, 3>;

// A measurement as an equation: row * coefficients = right.
struct Equation {
  Vector3 row;
  double right;
};

// The least-squares solution over the columns in `use`, the others 0; nothing where it is not unique.
std::optional<Vector3> solve(const std::vector<Equation>& equations, const std::array<bool, 3>& use) {
  std::vector<std::size_t> columns;
  for (std::size_t c = 0; c < 3; ++c)
    if (use[c]) columns.push_back(c);
  const std::size_t n = columns.size();
  std::vector<std::vector<double>> normal(n, std::vector<double>(n + 1));  // Aᵀ A | Aᵀ right
  for (const auto& [row, right] : equations) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) normal[i][j] += row[columns[i]] * row[columns[j]];
      normal[i][n] += row[columns[i]] * right;
    }
  }
  constexpr double kSingular = 1e-9;     // of a diagonal element, by elimination
  for (std::size_t i = 0; i < n; ++i) {  // Gauss and Jordan: the matrix is positive semidefinite
    double before = 0.0;
    for (const auto& [row, right] : equations) before += row[columns[i]] * row[columns[i]];
    const double pivot = normal[i][i];
    if (!(pivot > kSingular * before)) return std::nullopt;
    for (double& x : normal[i]) x /= pivot;
    for (std::size_t k = 0; k < n; ++k) {
      if (k == i) continue;
      const double factor = normal[k][i];
      for (std::size_t j = 0; j <= n; ++j) normal[k][j] -= factor * normal[i][j];
    }
  }
  Vector3 solution = {};
  for (std::size_t i = 0; i < n; ++i) solution[columns[i]] = normal[i][n];
  return solution;
}

double squared_error(const std::vector<Equation>& equations, const Vector3& c) {
  double sum = 0.0;
  for (const auto& [row, right] : equations) {
    const double residual = row[0] * c[0] + row[1] * c[1] + row[2] * c[2] - right;
    sum += residual * residual;
  }
  return sum;
}

double as_double(std::size_t n) { return static_cast<double>(n); }

std::size_t divided_up(std::size_t n, std::size_t parts) { return (n + parts - 1) / parts; }

}  // namespace

// Three coefficients leave seven sets of those that are not 0: all are tried.
CostLine fit(std::span<const MeasuredPart> measured, StepLoad near) {
  const auto factors = [](std::size_t a, std::size_t b) {
    return std::log2((as_double(a) + 1.0) / (as_double(b) + 1.0));
  };
  std::vector<Equation> equations;  // each over its own seconds, for errors are relative
  for (const auto& [load, seconds] : measured) {
    const double blocks = factors(load.blocks, near.blocks), rows = factors(load.rows, near.rows);
    const double weight = 1.0 / (0.01 + blocks * blocks + rows * rows);
    equations.push_back({{weight / seconds, weight * as_double(load.blocks) / seconds,
                          weight * as_double(load.rows) / seconds},
                         weight});
  }
  Vector3 best = {};
  double least = std::numeric_limits<double>::infinity();
  for (unsigned set = 1; set < 8; ++set) {
    const auto c = solve(equations, {(set & 1U) != 0, (set & 2U) != 0, (set & 4U) != 0});
    if (!c || *std::min_element(c->begin(), c->end()) < 0.0) continue;
    const double error = squared_error(equations, *c);
    if (error < least) {
      least = error;
      best = *c;
    }
  }
  return {best[0], best[1], best[2]};
}

StepSeconds LayoutCost::seconds(StepLoad load) const {
  const auto part = [&](double StepSeconds::*which) {
    std::vector<MeasuredPart> measured;
    for (const MeasuredStep& step : steps) measured.push_back({step.load, step.seconds.*which});
    return fit(measured, load).seconds(load);
  };
  return {part(&StepSeconds::forward), part(&StepSeconds::backward), part(&StepSeconds::update),
          part(&StepSeconds::rest)};
}

double LayoutCost::error() const {
  if (steps.size() < 2) return 0.0;
  std::vector<double> errors;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    LayoutCost others = *this;
    others.steps.erase(others.steps.begin() + static_cast<std::ptrdiff_t>(i));
    errors.push_back(std::fabs(others.seconds(steps[i].load).all() / steps[i].seconds.all() - 1.0));
  }
  const auto median = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::nth_element(errors.begin(), median, errors.end());
  return *median;
}

ScalingModel::ScalingModel(Workload workload, Cluster cluster, std::vector<LayoutCost> layouts)
    : workload_(std::move(workload)), cluster_(std::move(cluster)), layouts_(std::move(layouts)) {
  require(!layouts_.empty() && workload_.samples > 0 && workload_.shards > 0 &&
              workload_.batch % workload_.shards == 0,
          "ScalingModel: needs a layout, samples, and shards that divide the batch");
}

std::vector<int> ScalingModel::threads() const {
  std::vector<int> all;
  for (const LayoutCost& layout : layouts_) all.push_back(layout.threads);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// The layout whose host is as crowded as asked, or nearest to it.
const LayoutCost& ScalingModel::layout(int ranks_on_host, int threads) const {
  const LayoutCost* nearest = nullptr;
  const auto distance = [&](const LayoutCost& l) {
    return std::fabs(std::log(static_cast<double>(l.ranks_on_host) / ranks_on_host));
  };
  for (const LayoutCost& l : layouts_)
    if (l.threads == threads && (nearest == nullptr || distance(l) < distance(*nearest))) nearest = &l;
  require(nearest != nullptr, "ScalingModel: no layout has so many threads");
  return *nearest;
}

Prediction ScalingModel::predict(int ranks, int threads, bool weak) const {
  const auto p = static_cast<std::size_t>(ranks);
  Prediction of;
  of.ranks = ranks;
  of.threads = threads;
  const int ranks_a_host = std::max(1, cluster_.cores_per_host / threads);
  of.hosts = static_cast<int>(divided_up(p, static_cast<std::size_t>(ranks_a_host)));
  const std::size_t micro_batch = workload_.batch / workload_.shards;
  of.shards = weak ? workload_.shards * p : std::max(workload_.shards, p);
  of.batch = weak ? workload_.batch * p : workload_.batch;
  const std::size_t blocks = divided_up(of.shards, p);  // of the rank with the most
  const double rows_a_block =
      weak ? as_double(micro_batch) : as_double(workload_.batch) / as_double(of.shards);
  const LayoutCost& cost = layout(std::min(ranks, ranks_a_host), threads);
  const auto step_with = [&](double filled) {  // a batch of which so much is there
    const StepLoad load{blocks,
                        static_cast<std::size_t>(std::ceil(filled * rows_a_block * as_double(blocks)))};
    of.step = cost.seconds(load);
    of.step.update *= largest_part(workload_.sums, ranks, of.hosts);
    const SumSeconds sums =
        sum_seconds(workload_.sums, cluster_, ranks, of.hosts, of.step.forward, of.step.backward);
    of.sum = sums.sum;
    of.gather = sums.gather;
    of.hidden = sums.whole > 0.0 ? 1.0 - sums.exposed() / sums.whole : 0.0;
    return of.step.all() + of.exposed();
  };
  if (weak) {  // of batches that may be larger than all samples: part of a step counts as such
    of.epoch = as_double(workload_.samples) / as_double(of.batch) * step_with(1.0);
    return of;
  }
  const std::size_t full = workload_.samples / of.batch, left = workload_.samples % of.batch;
  of.epoch = left == 0 ? 0.0 : step_with(as_double(left) / as_double(of.batch));
  if (full > 0) of.epoch += as_double(full) * step_with(1.0);
  return of;
}

Prediction ScalingModel::best_on(int cores, bool weak) const {
  Prediction best;
  best.epoch = std::numeric_limits<double>::infinity();
  for (const int t : threads()) {
    const auto ranks = static_cast<std::size_t>(cores / t);
    if (cores % t != 0 || t > cluster_.cores_per_host || (!weak && ranks > workload_.batch)) continue;
    const Prediction prediction = predict(cores / t, t, weak);
    if (prediction.epoch < best.epoch) best = prediction;
  }
  return best;
}

std::string ScalingModel::limit(const Prediction& one, const Prediction& many) {
  const double ranks = many.ranks;
  const double growth = as_double(many.batch) / as_double(one.batch);
  const auto beyond = [&](double here, double there) { return ranks * here - growth * there; };
  const std::pair<double, const char*> losses[] = {
      {beyond(many.sum, one.sum), "the gradients' sum"},
      {beyond(many.gather, one.gather), "gathering the parameters"},
      {beyond(many.step.update, one.step.update), "the update, on every rank"},
      {beyond(many.step.rest, one.step.rest), "what every rank repeats"},
      {beyond(many.step.forward + many.step.backward, one.step.forward + one.step.backward),
       "few rows per rank"}};
  return std::max_element(std::begin(losses), std::end(losses))->second;
}

}  // namespace lockstep::scaling
