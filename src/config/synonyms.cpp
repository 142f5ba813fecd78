#include "config/synonyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace lockstep::config {
namespace {

struct Synonyms {
  const char* key;    // or a layer's type
  const char* names;  // of PyTorch, Keras, scikit-learn, Lightning, Hugging Face and the like; with spaces
};

constexpr Synonyms kSynonyms[] = {
    {"seed", "random_seed random_state manual_seed rng_seed"},
    {"data.dir", "data_dir root dataset_dir data_root"},
    {"data.file", "csv csv_file train_file filename data_file data_path path"},
    {"data.test_file", "val_file validation_file test_csv test_data"},
    {"data.target", "label labels label_column target_column target_name y"},
    {"data.features", "x_train train_images images inputs"},
    {"data.test_features", "x_test test_images"},
    {"data.test_target", "y_test test_labels"},
    {"data.image", "image_size image_shape img_size"},
    {"data.test_fraction",
     "validation_split test_size val_split val_fraction validation_fraction test_split"},
    {"data.normalize", "normalization standardize standardization scaler scaling"},
    {"data.n", "n_samples num_samples n_points"},
    {"data.folds", "kfold k_fold n_splits n_folds num_folds cv"},
    {"data.shuffle", "shuffling"},
    {"data.augment.flip", "augment augmentation horizontal_flip random_flip hflip mirror"},
    {"data.augment.shift", "translate translation random_crop crop random_shift width_shift_range"},
    {"data.augment.cutout", "random_erasing random_erase erasing cutout_size"},
    {"units", "out_features width outputs size neurons"},
    {"filters", "out_channels out_planes channels n_filters num_filters"},
    {"size", "kernel_size kernel filter_size pool_size window window_size"},
    {"stride", "strides step"},
    {"padding", "pad"},
    {"epsilon", "eps"},
    {"scale", "affine gamma"},
    {"shift", "beta"},
    {"rate", "p dropout_rate drop"},
    {"frozen", "freeze trainable requires_grad"},
    {"learning_rate_factor", "lr_factor lr_mult lr_scale"},
    {"weight_decay_factor", "decay_mult wd_mult l2_factor"},
    {"model.hidden",
     "units hidden_units hidden_size hidden_sizes hidden_layers hidden_layer_sizes hidden_dim hidden_dims "
     "width "
     "widths layer_sizes neurons"},
    {"model.activation", "nonlinearity act activation_fn activation_function"},
    {"model.dropout", "dropout_rate drop drop_rate p"},
    {"model.loss", "criterion loss_fn loss_function objective"},
    {"model.init", "initializer kernel_initializer weight_init init_method initialization"},
    {"model.bias_init", "bias_initializer"},
    {"model.leaky_slope", "negative_slope"},
    {"train.learning_rate", "lr eta base_lr initial_lr learning_rate_init max_lr"},
    {"train.batch_size",
     "batch bs batchsize minibatch minibatch_size mini_batch_size global_batch_size "
     "train_batch_size per_device_train_batch_size"},
    {"train.epochs", "n_epochs num_epochs max_epochs nb_epoch nb_epochs num_train_epochs epoch max_iter"},
    {"train.label_smoothing", "smoothing label_smoothing_factor"},
    {"train.weight_decay", "wd decay"},
    {"train.l2", "l2_reg l2_regularization regularization reg lambda alpha"},
    {"train.optimizer", "optim solver opt"},
    {"train.momentum", "mu"},
    {"train.beta1", "beta_1 adam_beta1"},
    {"train.beta2", "beta_2 adam_beta2"},
    {"train.epsilon", "eps adam_epsilon"},
    {"train.trust_coefficient", "trust trust_coef lars_coefficient"},
    {"train.clip_norm", "max_grad_norm max_norm clipnorm clip_grad_norm grad_clip gradient_clip_val"},
    {"train.average_decay", "ema ema_decay model_ema swa polyak"},
    {"train.schedule", "scheduler lr_scheduler lr_schedule lr_policy lr_scheduler_type"},
    {"train.warmup_epochs", "warmup warmup_steps num_warmup_steps warmup_ratio"},
    {"train.step_epochs", "step_size lr_step_size"},
    {"train.step_factor", "gamma lr_decay decay_rate lr_gamma"},
    {"train.final_learning_rate", "eta_min min_lr final_lr"},
    {"train.patience", "early_stopping early_stop n_iter_no_change early_stopping_patience"},
    {"train.monitor", "metric metric_for_best_model"},
    {"train.max_seconds", "max_time time_limit timeout"},
    {"train.init_from", "pretrained weights init_checkpoint load_from load_weights warm_start"},
    {"eval.views", "tta tta_level test_time_augmentation"},
    {"eval.every_epochs",
     "eval_every eval_interval evaluate_every validation_freq check_val_every_n_epoch val_interval"},
    {"checkpoint.every_epochs", "save_every save_freq checkpoint_every save_interval"},
    {"checkpoint.every_steps", "save_steps checkpoint_steps"},
    {"checkpoint.keep", "save_total_limit max_to_keep save_top_k"},
    {"compute.threads", "n_jobs num_threads nthreads n_threads omp_num_threads"},
    {"dense", "linear fc fully_connected"},
    {"conv", "conv2d convolution convolutional convolution2d"},
    {"max_pool", "maxpool maxpool2d max_pool2d max_pooling maxpooling2d"},
    {"average_pool", "avgpool avgpool2d avg_pool avg_pool2d average_pooling averagepooling2d"},
    {"global_average_pool",
     "adaptiveavgpool2d adaptive_avg_pool2d globalaveragepooling2d global_avg_pool gap"},
    {"batch_norm", "batchnorm batchnorm1d batchnorm2d batch_normalization batchnormalization bn norm"},
    {"add", "residual skip shortcut"},
};

constexpr std::pair<const char*, const char*> kInstead[] = {
    {"device devices gpu gpus accelerator cuda use_gpu no_cuda",
     "ranks and their threads compute: launch/run -np P, compute.threads"},
    {"ranks np nproc world_size num_nodes nnodes nproc_per_node processes",
     "the number of ranks is mpirun's: launch/run -np P"},
    {"num_workers workers prefetch_factor pin_memory",
     "each rank has its samples in memory, nothing loads them beside it"},
    {"betas", "they are train.beta1 and train.beta2"},
    {"dtype precision amp fp16 bf16", "everything is computed in float32"},
    {"out output out_dir output_dir save_dir log_dir logdir", "the run folder is --out DIR"},
    {"resume resume_from resume_from_checkpoint", "--resume latest goes on with a run"},
    {"verbose", "--quiet is what changes the output"},
    {"in_features input_dim input_shape input_size",
     "a layer has as many inputs as there are outputs before it"},
};

bool has_word(std::string_view words, const std::string& word) {
  return fmt::format(" {} ", words).find(fmt::format(" {} ", word)) != std::string::npos;
}

// The last part, without dashes before it, as kSynonyms has it.
std::string plain(const std::string& key) {
  std::string word = key.substr(key.rfind('.') + 1);
  word.erase(0, std::min(word.find_first_not_of('-'), word.size()));
  for (char& c : word) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

}  // namespace

std::optional<std::string> synonym(const std::string& key, std::span<const std::string> known) {
  const std::string word = plain(key);
  for (const auto& [name, names] : kSynonyms)
    if (has_word(names, word) && std::ranges::find(known, name) != known.end()) return name;
  if (std::ranges::find(known, word) != known.end()) return word;
  for (const std::string& name : known)
    if (name.ends_with(fmt::format(".{}", word))) return name;
  return std::nullopt;
}

std::string instead_of(const std::string& key) {
  for (const auto& [names, instead] : kInstead)
    if (has_word(names, plain(key))) return instead;
  return "";
}

}  // namespace lockstep::config
