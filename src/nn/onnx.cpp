#include "nn/onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numbers>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/protobuf.h"
#include "nn/layers.h"
#include "nn/model_file.h"

namespace lockstep::nn {
namespace {

// The numbers of fields, from https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
namespace model_field {
constexpr unsigned kIrVersion = 1, kProducer = 2, kProducerVersion = 3, kGraph = 7, kOperatorSet = 8,
                   kMetadata = 14;
}
namespace graph_field {
constexpr unsigned kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12;
}
namespace node_field {
constexpr unsigned kInput = 1, kOutput = 2, kName = 3, kOperator = 4, kAttribute = 5;
}
namespace attribute_field {
constexpr unsigned kName = 1, kFloat = 2, kInteger = 3, kIntegers = 8, kType = 20;
constexpr unsigned kTypeFloat = 1, kTypeInteger = 2, kTypeIntegers = 7;
}  // namespace attribute_field
namespace tensor_field {
constexpr unsigned kShape = 1, kType = 2, kName = 8, kRawData = 9;
}
constexpr unsigned kFloat32 = 1;       // a type of tensors
constexpr unsigned kIrVersion = 7;     // the format's version that goes with
constexpr unsigned kOperatorSet = 13;  // this set of operators
constexpr const char* kOutput = "output";

using Sizes = std::vector<std::size_t>;

ProtobufMessage attribute(const char* name, double value) {
  ProtobufMessage message;
  return message.text(attribute_field::kName, name)
      .number(attribute_field::kFloat, static_cast<float>(value))
      .integer(attribute_field::kType, attribute_field::kTypeFloat);
}

ProtobufMessage attribute(const char* name, std::size_t value) {
  ProtobufMessage message;
  return message.text(attribute_field::kName, name)
      .integer(attribute_field::kInteger, value)
      .integer(attribute_field::kType, attribute_field::kTypeInteger);
}

ProtobufMessage attribute(const char* name, const Sizes& values) {
  ProtobufMessage message;
  message.text(attribute_field::kName, name);
  for (const std::size_t value : values) message.integer(attribute_field::kIntegers, value);
  return message.integer(attribute_field::kType, attribute_field::kTypeIntegers);
}

// ValueInfoProto: a batch of N samples of this shape.
ProtobufMessage batch_of(const char* name, const Sizes& sample) {
  ProtobufMessage any, shape, tensor, type, value;
  shape.message(1, any.text(2, "N"));
  for (const std::size_t length : sample) {
    ProtobufMessage dimension;
    shape.message(1, dimension.integer(1, length));
  }
  tensor.integer(1, kFloat32).message(2, shape);
  type.message(1, tensor);
  return value.text(1, name).message(2, type);
}

// A graph that grows by one node after another; `value()` is the last one's output.
class Graph {
 public:
  Graph(const ArenaInFile& weights, const Sizes& sample) : weights_(weights), image_(sample.size() == 3) {
    graph_.text(graph_field::kName, "network").message(graph_field::kInput, batch_of("input", sample));
  }

  // other_inputs: names of tensors or values.
  void add(const std::string& op, const std::vector<std::string>& other_inputs = {},
           std::vector<ProtobufMessage> attributes = {}) {
    std::vector<std::string> inputs = {value()};
    inputs.insert(inputs.end(), other_inputs.begin(), other_inputs.end());
    add_node(op, std::move(inputs), std::move(attributes));
  }

  // The last node's output.
  std::string value() const { return nodes_.empty() ? "input" : nodes_.back().output; }

  // For add_named.
  void name_value(const std::string& name) {
    if (!name.empty()) named_[name] = {value(), image_};
  }
  // To the last value an earlier one of as many numbers; where one of the two is plain rows, the other
  // becomes so.
  void add_named(const std::string& name) {
    auto [other, image] = named_.at(name);
    if (!image) flatten();
    const std::string last = value();
    if (image && !image_) {
      add_node("Flatten", {other}, {});
      other = value();
    }
    add_node("Add", {last, other}, {});
  }

  // A tensor of its own beside the weights. Returns its name.
  std::string constant(const std::string& name, const Sizes& shape, std::span<const float> values) {
    add_tensor(name, shape, std::as_bytes(values));
    return name;
  }

  // One number, which is there once.
  std::string scalar(double value) {
    const auto number = static_cast<float>(value);
    const std::string name = fmt::format("{:.9g}", number);
    return scalars_.insert(name).second ? constant(name, {1}, std::span(&number, 1)) : name;
  }

  // The weights of layers with parameters are numbered.
  void begin_layer() { ++layer_; }
  std::string name_of(const char* tensor) const { return fmt::format("layers.{}.{}", layer_, tensor); }
  bool has(const std::string& name) const {
    return std::ranges::any_of(weights_.views(),
                               [&](const TensorView& tensor) { return tensor.name == name; });
  }

  // Plain rows from here on.
  void flatten() {
    if (std::exchange(image_, false)) add("Flatten");
  }

  // GraphProto. outputs: of the network.
  ProtobufMessage finished(std::size_t outputs) && {
    nodes_.back().output = kOutput;  // which nothing reads
    for (const Node& node : nodes_) graph_.message(graph_field::kNode, node.message());
    for (const TensorView& tensor : weights_.views()) add_tensor(tensor.name, tensor.shape, tensor.bytes);
    graph_.message(graph_field::kOutput, batch_of(kOutput, {outputs}));
    return std::move(graph_);
  }

 private:
  struct Node {
    std::string op;
    std::vector<std::string> inputs;
    std::string output;
    std::vector<ProtobufMessage> attributes;

    ProtobufMessage message() const {
      ProtobufMessage node;
      for (const std::string& input : inputs) node.text(node_field::kInput, input);
      node.text(node_field::kOutput, output).text(node_field::kName, output).text(node_field::kOperator, op);
      for (const ProtobufMessage& attribute : attributes) node.message(node_field::kAttribute, attribute);
      return node;
    }
  };

  void add_node(const std::string& op, std::vector<std::string> inputs,
                std::vector<ProtobufMessage> attributes) {
    nodes_.push_back({op, std::move(inputs), fmt::format("{}_{}", op, nodes_.size()), std::move(attributes)});
  }

  void add_tensor(const std::string& name, const Sizes& shape, std::span<const std::byte> bytes) {
    ProtobufMessage tensor;
    for (const std::size_t length : shape) tensor.integer(tensor_field::kShape, length);
    tensor.integer(tensor_field::kType, kFloat32).text(tensor_field::kName, name);
    tensor.text(tensor_field::kRawData, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    graph_.message(graph_field::kInitializer, tensor);
  }

  const ArenaInFile& weights_;
  ProtobufMessage graph_;
  std::vector<Node> nodes_;
  std::map<std::string, std::pair<std::string, bool>> named_;  // a value, and whether it is an image
  std::set<std::string> scalars_;
  bool image_;                           // values are (N, channels, height, width), else (N, features)
  std::size_t layer_ = ~std::size_t{0};  // the first is 0
};

// A number for every feature, or for every channel where that says as much.
void apply_to_features(Graph& graph, const char* op, const char* name, const Sizes& sample,
                       std::vector<float> values, float neutral) {
  if (std::ranges::count(values, neutral) == static_cast<std::ptrdiff_t>(values.size())) return;
  Sizes shape = sample;
  shape.insert(shape.begin(), 1);
  const std::size_t channels = sample.front(), pixels = values.size() / channels;
  bool by_channel = true;
  for (std::size_t i = 0; i < values.size(); ++i) by_channel &= values[i] == values[i / pixels * pixels];
  if (by_channel) {
    for (std::size_t c = 0; c < channels; ++c) values[c] = values[c * pixels];
    values.resize(channels);
    std::fill(shape.begin() + 2, shape.end(), 1);
  }
  graph.add(op, {graph.constant(name, shape, values)});
}

void normalize(Graph& graph, const OnnxSurroundings& surroundings) {
  const auto shift = [&] {
    apply_to_features(graph, "Add", "normalization.shift", surroundings.sample, surroundings.shift, 0.0F);
  };
  if (surroundings.shift_first) shift();
  apply_to_features(graph, "Mul", "normalization.scale", surroundings.sample, surroundings.scale, 1.0F);
  if (!surroundings.shift_first) shift();
}

void add_activation(Graph& graph, kernels::Activation activation,
                    const kernels::ActivationParameters& parameters) {
  using kernels::Activation;
  switch (activation) {
    case Activation::kIdentity:
      return;
    case Activation::kSigmoid:
      return graph.add("Sigmoid");
    case Activation::kTanh:
      return graph.add("Tanh");
    case Activation::kRelu:
      return graph.add("Relu");
    case Activation::kLeakyRelu:
      return graph.add("LeakyRelu", {}, {attribute("alpha", parameters.leaky_slope)});
    case Activation::kElu:
      return graph.add("Elu", {}, {attribute("alpha", parameters.elu_alpha)});
    case Activation::kGelu: {  // x (1 + erf(x / sqrt(2))) / 2: set 13 has no operator for it
      const std::string x = graph.value();
      graph.add("Mul", {graph.scalar(1.0 / std::numbers::sqrt2)});
      graph.add("Erf");
      graph.add("Add", {graph.scalar(1.0)});
      graph.add("Mul", {x});
      return graph.add("Mul", {graph.scalar(0.5)});
    }
  }
}

// Weight and, where there is one, bias.
std::vector<std::string> weights_of(Graph& graph) {
  graph.begin_layer();
  std::vector<std::string> names = {graph.name_of("weight"), graph.name_of("bias")};
  if (!graph.has(names.back())) names.pop_back();
  return names;
}

void add_conv(Graph& graph, const ConvGeometry& geometry) {
  const std::size_t before = geometry.padding_before, after = geometry.padding_after;
  graph.add("Conv", weights_of(graph),
            {attribute("kernel_shape", Sizes{geometry.size, geometry.size}),
             attribute("strides", Sizes{geometry.stride, geometry.stride}),
             attribute("pads", Sizes{before, before, after, after})});
}

void add_pool(Graph& graph, const char* op, const LayerOptions& layer) {
  graph.add(op, {},
            {attribute("kernel_shape", Sizes{layer.size, layer.size}),
             attribute("strides", Sizes{layer.stride, layer.stride})});
}

// A network without scales or shifts has the numbers that change nothing in their place.
void add_batch_norm(Graph& graph, const LayerOptions& layer, const ArenaInFile& weights) {
  graph.begin_layer();
  const std::string mean = graph.name_of("running_mean"), variance = graph.name_of("running_var");
  const auto of_mean = std::ranges::find(weights.views(), mean, &TensorView::name);
  const std::size_t channels = of_mean->shape.front();
  const auto either = [&](const char* name, const char* instead, float value) {
    const std::string own = graph.name_of(name);
    return graph.has(own)
               ? own
               : graph.constant(graph.name_of(instead), {channels}, std::vector<float>(channels, value));
  };
  const std::string scale = either("weight", "ones", 1.0F), shift = either("bias", "zeros", 0.0F);
  graph.add("BatchNormalization", {scale, shift, mean, variance},
            {attribute("epsilon", layer.batch_norm.epsilon)});
}

void add_layer(Graph& graph, const LayerOptions& layer, const ModelOptions& options,
               const ArenaInFile& weights) {
  using Kind = LayerOptions::Kind;
  switch (layer.kind) {
    case Kind::kDense:
      graph.flatten();
      return graph.add("Gemm", weights_of(graph), {attribute("transB", std::size_t{1})});
    case Kind::kActivation:
      return add_activation(graph, layer.activation, options.activation_parameters);
    case Kind::kDropout:
      return;
    case Kind::kConv:
      return add_conv(graph, geometry_of(layer));
    case Kind::kWhiten:
      return add_conv(graph, {.size = layer.size});
    case Kind::kMaxPool:
      return add_pool(graph, "MaxPool", layer);
    case Kind::kAveragePool:
      return add_pool(graph, "AveragePool", layer);
    case Kind::kGlobalAveragePool:
      return graph.add("GlobalAveragePool");
    case Kind::kBatchNorm:
      return add_batch_norm(graph, layer, weights);
    case Kind::kMultiply:
      return graph.add("Mul", {graph.scalar(layer.factor)});
    case Kind::kAdd:
      return graph.add_named(layer.from);
    case Kind::kFlatten:
      return graph.flatten();
  }
}

void apply_to_outputs(Graph& graph, const char* op, const char* name, float value, float neutral) {
  if (value != neutral) graph.add(op, {graph.constant(name, {1, 1}, std::span(&value, 1))});
}

}  // namespace

std::string onnx_file(const ModelOptions& options, const Model& model, std::span<const float> arena,
                      const OnnxSurroundings& surroundings) {
  require(surroundings.shift.size() == model.inputs() && surroundings.scale.size() == model.inputs(),
          "onnx_file: expected a shift and a scale for each of the network's inputs");
  static constexpr std::size_t kMax = std::numeric_limits<std::int32_t>::max();
  const auto refuse_beyond = [](std::size_t bytes) {
    if (bytes > kMax)
      throw ConfigError(fmt::format("--onnx: the network takes {} bytes, expected {} at most in an ONNX file",
                                    bytes, kMax));
  };
  refuse_beyond(arena.size_bytes());
  const ArenaInFile weights(model.tensors(), arena);
  Graph graph(weights, surroundings.sample);
  normalize(graph, surroundings);
  for (const LayerOptions& layer : layers_of(options)) {
    add_layer(graph, layer, options, weights);
    graph.name_value(layer.name);
  }
  graph.flatten();
  apply_to_outputs(graph, "Mul", "target.scale", surroundings.target_scale, 1.0F);
  apply_to_outputs(graph, "Add", "target.shift", surroundings.target_shift, 0.0F);

  ProtobufMessage operators, file;
  operators.text(1, "").integer(2, kOperatorSet);
  file.integer(model_field::kIrVersion, kIrVersion)
      .text(model_field::kProducer, "lockstep")
      .text(model_field::kProducerVersion, surroundings.producer_version)
      .message(model_field::kGraph, std::move(graph).finished(model.outputs()))
      .message(model_field::kOperatorSet, operators);
  for (const auto& [key, value] : surroundings.metadata) {
    ProtobufMessage entry;
    file.message(model_field::kMetadata, entry.text(1, key).text(2, value));
  }
  refuse_beyond(file.content().size());
  return file.content();
}

}  // namespace lockstep::nn
