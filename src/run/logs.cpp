#include "run/logs.h"

#include "report/png.h"

namespace lockstep::run {

void Logs::begin(const std::filesystem::path& folder, std::size_t step, std::size_t epoch, bool resumed,
                 const Fields& fields) {
  if (options_.tensorboard) tensorboard_.emplace(folder, step);
  if (!events_) return;
  events_->reached(step, epoch);
  events_->begin(options_.json ? folder / "events.jsonl" : "", resumed ? "resume" : "start", fields);
}

void Logs::after_step(std::size_t step, std::size_t epochs, double loss) {
  if (events_) events_->reached(step, epochs);
  if (tensorboard_ && options_.steps) tensorboard_->scalar(step, "loss", loss);
}

void Logs::after_epoch(const report::EpochRow& row, bool with_top5, std::size_t step,
                       const std::vector<std::string>& tensors, std::span<const double> norms) {
  const Fields columns = report::columns_of(row, with_top5);
  if (events_) {
    events_->reached(step, row.epoch);
    events_->add("epoch", columns);
  }
  if (tensorboard_) {
    for (const auto& [name, value] : columns.items())
      if (value.is_number()) tensorboard_->scalar(step, name, value.get<double>());
    for (std::size_t i = 0; i < norms.size(); ++i)
      tensorboard_->scalar(step, "gradients/" + tensors[i], norms[i]);
  }
  flush();
}

void Logs::checkpoint(std::size_t step, std::size_t epoch, const std::filesystem::path& file) {
  if (events_) events_->add("checkpoint", {{"step", step}, {"epoch", epoch}, {"file", file.string()}});
}

void Logs::image(std::size_t step, const std::string& tag, const Tiles& tiles) {
  if (!tensorboard_) return;
  const std::string file = report::png(tiles.width(), tiles.height(), tiles.pixels());
  tensorboard_->image(step, tag, tiles.width(), tiles.height(), file);
}

void Logs::end(const Fields& fields) {
  if (events_) events_->add("end", fields);
}

void Logs::flush() {
  if (events_) events_->flush();
  if (tensorboard_) tensorboard_->flush();
}

}  // namespace lockstep::run
