"""PyTorch's training, in double precision, of what a Case says: the steps as README and the headers of src/ describe them.

A step takes the next batch in the order of the file, a micro-batch of it for each shard. Each micro-batch goes through the network
by itself, so that batch norm sees its samples alone; a running statistic becomes the mean of what each of them, if not empty,
would have made of it. The loss is the mean over the batch, plus half of train.l2 times the squares of the weights of dense and
conv, and of what batch norm learns where it has a weight_decay_factor.
"""

import math

import torch

from networks import Network


class Training:
    def __init__(self, case, images, epochs):
        self.case, self.images, self.epochs = case, images, epochs
        self.setting = case.settings.get
        self.inputs = images.normalized(images.train, self.setting("data.normalize", "none"))
        model = {"leaky_slope": self.setting("model.leaky_slope", 0.1), "elu_alpha": self.setting("model.elu_alpha", 1.0)}
        self.network = Network(case.layers, model, math.prod(case.image), case.classes, case.image)
        self.modules = self.network.modules.double().train()
        self.steps_per_epoch = math.ceil(case.samples / case.batch)
        self.optimizer = torch.optim.SGD(list(self._groups()), lr=case.rate, momentum=self.setting("train.momentum", 0.0),
                                         nesterov=self.setting("train.nesterov", False))

    def _groups(self):
        """Each parameter that learns, with the factors of its layer."""
        decayed = dict(self._decayed())
        for layer, table in zip(self.network.layers, self.network.tables):
            for parameter in layer.parameters() if not table.get("frozen", False) else ():
                if parameter.requires_grad:
                    yield {"params": [parameter], "factor": table.get("learning_rate_factor", 1.0),
                           "weight_decay": self.setting("train.weight_decay", 0.0) * decayed.get(parameter, 0.0)}

    def _decayed(self):
        """Each parameter that train.l2 and train.weight_decay count, with their factor."""
        for layer, table in zip(self.network.layers, self.network.tables):
            if table.get("frozen", False) or table["type"] == "whiten":
                continue
            norm = table["type"] == "batch_norm"
            for parameter in layer.parameters() if norm else [layer.weight]:
                yield parameter, table.get("weight_decay_factor", 0.0 if norm else 1.0)

    def draw(self):
        """Weights to begin with, rounded to float32 as weight files have them."""
        torch.manual_seed(1)
        self.network.draw()
        self.network.load({name: tensor.float() for name, tensor in self.network.tensors().items()})

    def learning_rate(self, step):
        rate, warm_up = self.case.rate, self.setting("train.warmup_epochs", 0) * self.steps_per_epoch
        kind, last = self.setting("train.schedule", "constant"), self.epochs * self.steps_per_epoch - 1
        if kind == "triangular":
            first, final = self.setting("train.initial_learning_rate", 0.0), self.setting("train.final_learning_rate", 0.0)
            if step < warm_up:
                return first + (rate - first) * step / warm_up
            return rate + (final - rate) * (step - warm_up) / (last - warm_up)
        if step < warm_up:
            return rate * (step + 1) / warm_up
        if kind == "step":
            return rate * self.setting("train.step_factor") ** (step // self.steps_per_epoch // self.setting("train.step_epochs"))
        if kind == "cosine":
            final = self.setting("train.final_learning_rate")
            part = (step - warm_up) / (last + 1 - warm_up)
            return final + (rate - final) * (1 + math.cos(math.pi * part)) / 2
        return rate

    def sum_of_losses(self, outputs, labels, label_smoothing=0.0):
        kind = self.setting("model.loss", "cross_entropy")
        if kind == "cross_entropy":
            return torch.nn.functional.cross_entropy(outputs, labels, reduction="sum", label_smoothing=label_smoothing)
        targets = torch.nn.functional.one_hot(labels, self.case.classes)
        return (outputs - targets).square().sum() * (0.5 if kind == "half_mse" else 1.0)

    def l2(self):
        squares = [factor * parameter.square().sum() for parameter, factor in self._decayed()]
        return 0.5 * self.setting("train.l2", 0.0) * sum(squares)

    def micro_batches(self, step):
        """The samples of each, of those that are not empty."""
        first = step % self.steps_per_epoch * self.case.batch
        batch, shards = range(first, min(first + self.case.batch, self.case.samples)), self.case.shards
        pieces = [batch[len(batch) * s // shards:len(batch) * (s + 1) // shards] for s in range(shards)]
        return [piece for piece in pieces if piece]

    def gradient(self, step):
        """The loss of step `step`, from 0 on. Its derivatives are then in the parameters' .grad, the running statistics moved."""
        pieces, running = self.micro_batches(step), dict(self.modules.named_buffers())
        samples, before = sum(map(len, pieces)), {name: buffer.clone() for name, buffer in running.items()}
        self.optimizer.zero_grad()
        parts, after = [self.l2()], []
        parts[0].backward()
        for piece in pieces:
            for name, buffer in running.items():
                buffer.copy_(before[name])
            losses = self.sum_of_losses(self.modules(self.inputs[piece]), self.images.train_labels[piece],
                                        self.setting("train.label_smoothing", 0.0))
            parts.append(losses / samples)
            parts[-1].backward()
            after.append({name: buffer.clone() for name, buffer in running.items()})
        for name, buffer in running.items():
            buffer.copy_(sum(buffers[name] for buffers in after) / len(after))
        return sum(part.item() for part in parts)

    def step(self, number):
        """The loss before the update."""
        loss = self.gradient(number)
        for group in self.optimizer.param_groups:
            group["lr"] = group["factor"] * self.learning_rate(number)
        self.optimizer.step()
        return loss

    def outputs_of_test_samples(self):
        with torch.no_grad():
            return self.modules.eval()(self.images.normalized(self.images.test, self.setting("data.normalize", "none")))

    def test_loss(self):
        outputs = self.outputs_of_test_samples()
        return self.sum_of_losses(outputs, self.images.test_labels).item() / len(outputs) + self.l2().item()
