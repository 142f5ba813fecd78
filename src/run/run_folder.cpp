#include "run/run_folder.h"

#include <utility>
#include <vector>

#include "base/file.h"
#include "run/film.h"

namespace lockstep::run {

RunFolder::RunFolder(RunPlace place, const LoadedConfig& loaded, const Experiment& experiment,
                     const SavedRun* resumed, std::size_t step, train::CheckpointFolder::OnWritten on_written)
    : place_(std::move(place)),
      run_(loaded.run),
      experiment_(experiment),
      on_written_(std::move(on_written)) {
  writing(path(), [&] {
    place_.begin();
    write_file_atomically(files() / "config.toml", config::to_toml(loaded.resolved));
  });
  open(resumed == nullptr ? "" : resumed->metrics, step);
  if (resumed != nullptr) writing(path(), [&] { checkpoints_->forget_after(step); });
}

void RunFolder::open(const std::string& metrics, std::size_t step) {
  const std::vector<nn::Tensor>& tensors = experiment_.model().tensors();
  writing(path(),
          [&] { checkpoints_.emplace(files() / "checkpoints", tensors, run_.checkpoint.keep, on_written_); });
  metrics_.emplace(files() / "metrics.csv", metrics, train::counts_top5(experiment_.info().classes));
  if (run_.log.steps) steps_.emplace(files() / "steps.csv", step);
  const std::size_t epochs = step / experiment_.plan().steps_per_epoch();
  if (run_.log.layers) layers_.emplace(files() / "layers.csv", epochs);
  if (run_.log.film) {
    const auto film = files() / "film.csv";
    film_.emplace(film, film_header(experiment_.info()), report::rows_up_to(film, epochs));
  }
  if (!run_.log.gradients) return;
  gradients_.emplace(files() / "gradients.csv", experiment_.tensors_with_gradients(), epochs);
}

void RunFolder::replace(std::size_t step) {
  if (steps_) steps_->flush();
  writing(path(), [&] { place_.replace(); });
  open(std::string(metrics_->rows()), step);
}

}  // namespace lockstep::run
