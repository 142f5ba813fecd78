#include "nn/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"
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

// The pooling layer that reads a layer's outputs, if any, given the layers that follow it; activations may
// lie between.
const LayerOptions* pooling_of(Layers following) {
  const auto reader = std::ranges::find_if(
      following, [](const LayerOptions& layer) { return layer.kind != Kind::kActivation; });
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
  Builder(const ModelOptions& options, std::size_t inputs, std::size_t outputs,
          const std::optional<ImageShape>& image)
      : options_(options), inputs_(inputs), outputs_(outputs), image_(image) {}

  // `following`: the layers after this one.
  void append(const LayerOptions& options, Layers following) {
    if (options.kind == Kind::kWhiten && place_ > 0)
      throw ConfigError(
          fmt::format("model.layers[{}] is a whiten layer, expected it as the first layer", place_));
    if (needs_image(options.kind) || (options.kind == Kind::kBatchNorm && image_)) expect_pixels();
    if (options.kind == Kind::kDense || options.kind == Kind::kFlatten) flatten();
    if (options.kind != Kind::kFlatten) {
      auto layer = make(options, following);
      layers_.push_back({std::move(layer), place_, options.frozen ? 0.0 : options.learning_rate_factor,
                         options.decay_factor()});
    }
    ++place_;
  }

  std::vector<BuiltLayer> take() { return std::move(layers_); }

 private:
  std::size_t width() const { return layers_.empty() ? inputs_ : layers_.back().layer->outputs(); }

  // The images lie pixel by pixel from here on.
  void expect_pixels() {
    if (!image_)
      throw ConfigError(
          "model.layers has a convolution or pooling layer where there is no image, expected it before any "
          "dense layer, and data.image = [CHANNELS, HEIGHT, WIDTH] where the data set has none");
    if (std::exchange(by_pixel_, true)) return;
    layers_.push_back({std::make_unique<Pixels>(*image_, Pixels::To::kPixels), place_});
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
        if (const LayerOptions* const pooling = pooling_of(following)) {
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
      case Kind::kFlatten:
        break;
    }
    return nullptr;
  }

  const ModelOptions& options_;
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
  Builder builder(options, inputs, outputs, image);
  const std::vector<LayerOptions> layers = layers_of(options);
  for (std::size_t l = 0; l < layers.size(); ++l) builder.append(layers[l], Layers(layers).subspan(l + 1));
  return builder.take();
}

}  // namespace lockstep::nn
