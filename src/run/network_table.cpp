#include <fmt/format.h>

#include <optional>
#include <string>

#include "nn/conv.h"
#include "nn/pixels.h"
#include "nn/pool.h"
#include "report/csv_cell.h"
#include "run/tables.h"

namespace lockstep::run {
namespace {

std::string text_of(const nn::ImageShape& shape) {
  return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

// The image that a layer gives, if it does: of the layer's own, or as it got it where it keeps the shape.
std::optional<nn::ImageShape> image_after(const nn::Layer& layer,
                                          const std::optional<nn::ImageShape>& before) {
  if (const auto* conv = dynamic_cast<const nn::Conv*>(&layer)) return conv->image();
  if (const auto* pool = dynamic_cast<const nn::Pool*>(&layer)) return pool->image();
  if (layer.description() == "flatten" || !before || layer.outputs() != before->size()) return std::nullopt;
  return before;
}

}  // namespace

std::string network_table(const data::DatasetInfo& info, const nn::Model& model) {
  std::optional<nn::ImageShape> image;
  if (info.image) image = {info.image->channels, info.image->height, info.image->width};
  std::string table = "layer,description,name,outputs,parameters,added\n";
  table += fmt::format("0,input,,{},0,\n", image ? text_of(*image) : std::to_string(model.inputs()));
  for (std::size_t l = 0; l < model.layers().size(); ++l) {
    const nn::Layer& layer = *model.layers()[l];
    image = image_after(layer, image);
    std::size_t parameters = 0;
    for (const nn::Tensor& tensor : model.tensors())
      if (model.layer_of(static_cast<std::size_t>(&tensor - model.tensors().data())) == l)
        parameters += tensor.size;
    const auto added = model.skips().added_to(l);  // output 0 is the input, as layer 0 is here
    table += fmt::format("{},{},{},{},{},{}\n", l + 1, report::csv_cell(layer.description()),
                         report::csv_cell(model.name(l)),
                         image ? text_of(*image) : std::to_string(layer.outputs()), parameters,
                         added ? std::to_string(*added) : "");
  }
  return table;
}

}  // namespace lockstep::run
