#include "nn/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/nearest.h"
#include "nn/add.h"
#include "nn/batch_norm.h"
#include "nn/dense.h"
#include "nn/dropout.h"
#include "nn/multiply.h"
#include "nn/pixels.h"
#include "nn/pointwise.h"
#include "nn/pool.h"

namespace lockstep::nn {
namespace {

using Kind = LayerOptions::Kind;

bool needs_image(Kind kind) {
  return kind == Kind::kConv || kind == Kind::kWhiten || kind == Kind::kMaxPool ||
         kind == Kind::kAveragePool || kind == Kind::kGlobalAveragePool;
}

using Layers = std::span<const LayerOptions>;

// Which layer of the list has which name.
std::map<std::string, std::size_t> names_of(Layers layers) {
  std::map<std::string, std::size_t> names;
  for (std::size_t number = 0; number < layers.size(); ++number) {
    const std::string& name = layers[number].name;
    if (name.empty()) continue;
    const auto [other, is_new] = names.emplace(name, number);
    if (!is_new)
      throw ConfigError(
          fmt::format("model.layers[{}].name is \"{}\", which is model.layers[{}]'s, expected another",
                      number, name, other->second));
  }
  return names;
}

// The pooling layer that alone reads a layer's outputs, if any, given the layers that follow it; activations
// without a name may lie between.
const LayerOptions* pooling_of(const LayerOptions& layer, Layers following) {
  if (!layer.name.empty()) return nullptr;
  const auto reader = std::ranges::find_if(following, [](const LayerOptions& other) {
    return other.kind != Kind::kActivation || !other.name.empty();
  });
  const bool pools =
      reader != following.end() && (reader->kind == Kind::kMaxPool || reader->kind == Kind::kAveragePool);
  return pools ? &*reader : nullptr;
}

// How many of `length` rows or columns, the last ones, no window of a pooling layer reaches.
std::size_t unread(std::size_t length, const LayerOptions& pooling) {
  return length < pooling.size ? 0 : (length - pooling.size) % pooling.stride;
}

class Builder {
 public:
  Builder(const ModelOptions& options, Layers list, std::size_t inputs, std::size_t outputs,
          const std::optional<ImageShape>& image)
      : options_(options), names_(names_of(list)), inputs_(inputs), outputs_(outputs), image_(image) {}

  // `following`: the layers after this one.
  void append(const LayerOptions& options, Layers following) {
    if (options.kind == Kind::kWhiten && place_ > 0)
      throw ConfigError(
          fmt::format("model.layers[{}] is a whiten layer, expected it as the first layer", place_));
    if (options.kind == Kind::kDense || options.kind == Kind::kFlatten) flatten();
    if (needs_image(options.kind) || (image_ && (options.kind == Kind::kBatchNorm || !options.name.empty())))
      expect_pixels();  // so that what is added to a named layer's output lies as that does
    if (options.kind != Kind::kFlatten) {
      auto layer = made(options, following);
      layers_.push_back({.layer = std::move(layer),
                         .place = place_,
                         .learning_rate_factor = options.frozen ? 0.0 : options.learning_rate_factor,
                         .weight_decay_factor = options.decay_factor(),
                         .name = options.name});
      if (options.kind == Kind::kAdd) layers_.back().added = added_by(options.from);
    }
    if (by_pixel_) layers_.back().image = image_;
    if (!options.name.empty()) outputs_of_.emplace(options.name, Output{layers_.size(), shape()});
    ++place_;
  }

  std::vector<BuiltLayer> take() {
    flatten();  // a network that ends with images has its outputs in the order of files
    return std::move(layers_);
  }

 private:
  struct Output {
    std::size_t number = 0;  // see skips.h
    ImageShape shape;
  };
  // Of the last layer's output; plain rows are images of one pixel.
  ImageShape shape() const { return image_.value_or(ImageShape{width(), 1, 1}); }

  // The output that the layer at place_, built last, adds.
  std::size_t added_by(const std::string& from) const {
    const auto text = [](const ImageShape& shape) {
      return shape.pixels() == 1 ? fmt::format("{} values", shape.channels)
                                 : fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
    };
    const std::string given = fmt::format("model.layers[{}].from is \"{}\"", place_, from);
    if (const auto later = names_.find(from); later != names_.end() && later->second >= place_)
      throw ConfigError(fmt::format("{}, the name of model.layers[{}], expected that of an earlier layer",
                                    given, later->second));
    const auto found = outputs_of_.find(from);
    if (found == outputs_of_.end()) {
      std::vector<std::string> names;
      for (const auto& [name, output] : outputs_of_) names.push_back(name);
      const auto meant = nearest(from, names);
      throw ConfigError(fmt::format("{}, expected the name of an earlier layer{}", given,
                                    meant ? fmt::format(", did you mean \"{}\"?", *meant) : ""));
    }
    const auto& [output, other] = found->second;
    const ImageShape here = shape();
    if (here.channels != other.channels || here.height != other.height || here.width != other.width)
      throw ConfigError(fmt::format("{}, whose output is {}, and is added to {}, expected the same shape",
                                    given, text(other), text(here)));
    return output;
  }

  std::size_t width() const { return layers_.empty() ? inputs_ : layers_.back().layer->outputs(); }

  // The images lie pixel by pixel from here on.
  void expect_pixels() {
    if (!image_)
      throw ConfigError(
          fmt::format("model.layers[{}] is a convolution or pooling layer where there is no image, expected "
                      "it before any "
                      "dense layer, and data.image = [CHANNELS, HEIGHT, WIDTH] where the data set has none",
                      place_));
    if (std::exchange(by_pixel_, true)) return;
    layers_.push_back(
        {.layer = std::make_unique<Pixels>(*image_, Pixels::To::kPixels), .place = place_, .image = image_});
  }

  // And no longer: what follows has plain rows.
  void flatten() {
    if (std::exchange(by_pixel_, false) && image_->pixels() > 1)
      layers_.push_back({std::make_unique<Pixels>(*image_, Pixels::To::kChannels), place_});
    image_.reset();
  }

  template <typename ImageLayer>
  std::unique_ptr<Layer> of_image(ImageLayer layer) {
    image_ = layer.image();
    return std::make_unique<ImageLayer>(std::move(layer));
  }

  Initializer weight_init(const LayerOptions& layer) const {
    const auto parse = layer.kind == Kind::kConv ? Initializer::parse_filters : Initializer::parse_weight;
    return layer.init.empty() ? Initializer::parse_weight(options_.init, "model.init")
                              : parse(layer.init, "init");
  }
  std::optional<Initializer> bias_init(const LayerOptions& layer) const {
    if (!layer.bias) return std::nullopt;
    return Initializer::parse_bias(layer.bias_init.empty() ? options_.bias_init : layer.bias_init,
                                   "model.bias_init");
  }

  // Says of one that does not fit which it is.
  std::unique_ptr<Layer> made(const LayerOptions& layer, Layers following) try {
    return make(layer, following);
  } catch (const ConfigError& error) {
    if (!needs_image(layer.kind)) throw;
    throw ConfigError(fmt::format("model.layers[{}]: {}", place_, error.what()));
  }

  std::unique_ptr<Layer> make(const LayerOptions& layer, Layers following) {
    switch (layer.kind) {
      case Kind::kDense:
        return std::make_unique<Dense>(width(), layer.units == 0 ? outputs_ : layer.units, weight_init(layer),
                                       bias_init(layer));
      case Kind::kActivation:
        return std::make_unique<Pointwise>(layer.activation, options_.activation_parameters, width());
      case Kind::kDropout:
        return std::make_unique<Dropout>(layer.rate, width(), dropouts_++);
      case Kind::kConv: {
        ConvGeometry geometry = geometry_of(layer);
        const auto conv = [&] { return Conv(*image_, geometry, weight_init(layer), bias_init(layer)); };
        if (const LayerOptions* const pooling = pooling_of(layer, following)) {
          const ImageShape whole = conv().image();
          geometry.unread_rows = unread(whole.height, *pooling);
          geometry.unread_cols = unread(whole.width, *pooling);
        }
        return of_image(conv());
      }
      case Kind::kWhiten:
        return of_image(Conv::whitening(*image_, layer.size, layer.epsilon, layer.bias));
      case Kind::kMaxPool:
        return of_image(Pool(Pool::Kind::kMax, *image_, layer.size, layer.stride));
      case Kind::kAveragePool:
        return of_image(Pool(Pool::Kind::kAverage, *image_, layer.size, layer.stride));
      case Kind::kGlobalAveragePool:
        return of_image(Pool::global_average(*image_));
      case Kind::kBatchNorm:
        return std::make_unique<BatchNorm>(by_pixel_ ? *image_ : ImageShape{width(), 1, 1}, layer.batch_norm);
      case Kind::kMultiply:
        return std::make_unique<Multiply>(layer.factor, width());
      case Kind::kAdd:
        return std::make_unique<Add>(layer.from, width());
      case Kind::kFlatten:
        break;
    }
    return nullptr;
  }

  const ModelOptions& options_;
  std::map<std::string, std::size_t> names_;  // of the whole list: which layer has it
  std::map<std::string, Output> outputs_of_;  // of named layers so far
  std::size_t inputs_, outputs_;
  std::optional<ImageShape> image_;  // of the last layer's output, or of the input
  bool by_pixel_ = false;            // does it lie so?
  std::size_t dropouts_ = 0;
  std::size_t place_ = 0;  // of what is appended next
  std::vector<BuiltLayer> layers_;
};

}  // namespace

ConvGeometry geometry_of(const LayerOptions& layer) {
  if (!layer.padding) return ConvGeometry::same(layer.filters, layer.size);
  return {layer.filters, layer.size, layer.stride, *layer.padding, *layer.padding};
}

std::vector<BuiltLayer> build_layers(const ModelOptions& options, std::size_t inputs, std::size_t outputs,
                                     const std::optional<ImageShape>& image) {
  const std::vector<LayerOptions> layers = layers_of(options);
  Builder builder(options, layers, inputs, outputs, image);
  for (std::size_t l = 0; l < layers.size(); ++l) builder.append(layers[l], Layers(layers).subspan(l + 1));
  return builder.take();
}

}  // namespace lockstep::nn
