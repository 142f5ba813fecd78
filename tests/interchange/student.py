"""A student's training step in NumPy: dense networks, with the mistakes that students make, one at a time."""

import tomllib

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Student:
    """Computes the step of a file of lockstep trace-step from what that begins with, in this precision. wrong: the name of a
    mistake, as CASES of planted_mistakes_test.py says them; None: no mistake."""

    def __init__(self, step, dtype=np.float64, wrong=None):
        self.step, self.dtype, self.wrong = step, dtype, wrong
        self.config = tomllib.loads(str(step["config"]))
        self.model, self.train = self.config["model"], self.config["train"]
        self.loss = self.model["loss"]
        self.names = self.activations()
        self.depth = len(self.names)
        take = lambda name: step[name].astype(dtype)
        self.X = take("inputs").reshape(len(step["inputs"]), -1)
        self.y = step["targets"]
        self.W = [take(f"layers.{i}.weight") for i in range(self.depth)]
        self.b = [take(f"layers.{i}.bias") for i in range(self.depth)]
        self.before = [[take(f"layers.{i}.{kind}.velocity.before") if self.train["momentum"] else 0 for kind in ("weight", "bias")]
                       for i in range(self.depth)]
        self.rate, self.mu, self.l2 = dtype(step["learning_rate"]), dtype(self.train["momentum"]), dtype(self.train["l2"])

    def activations(self):
        """Of each dense layer what comes after it, None after the last unless it has one."""
        if "layers" in self.model:
            names = []
            for layer in self.model["layers"]:
                if layer["type"] == "dense":
                    names.append(None)
                else:
                    names[-1] = layer["type"]
            return names
        after = self.model.get("output_activation", "identity")
        return [self.model["activation"] for _ in self.model["hidden"]] + [None if after == "identity" else after]

    def is_wrong(self, name):
        return self.wrong == name

    # Activations.

    def activate(self, name, z):
        if self.is_wrong("relu for the activation"):
            name = "relu"
        if self.is_wrong("leaky slope of 0.01") and name == "leaky_relu":
            return np.where(z > 0, z, z * self.dtype(0.01))
        slope = self.dtype(self.model.get("leaky_slope", 0.1))
        return {"sigmoid": sigmoid, "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0),
                "leaky_relu": lambda x: np.where(x > 0, x, slope * x)}[name](z)

    def slope(self, name, z, a):
        """Of the activation, by its input or its output."""
        if self.is_wrong("derivative of the output"):
            z = a
            a = self.activate(name, a)
        if self.is_wrong("derivative's formula of the input"):
            a = z
        slope = self.dtype(self.model.get("leaky_slope", 0.1))
        return {"sigmoid": lambda: a * (1 - a), "tanh": lambda: 1 - a * a, "relu": lambda: (z > 0).astype(self.dtype),
                "leaky_relu": lambda: np.where(z > 0, self.dtype(1), slope)}[name]()

    # The four parts of a step.

    def forward(self):
        a, self.z, self.a = self.X, [], []
        for i, (W, b, name) in enumerate(zip(self.W, self.b, self.names)):
            if self.is_wrong("square weight transposed") and W.shape[0] == W.shape[1]:
                W = W.T
            z = a @ W.T
            if not self.is_wrong("no bias"):
                z = z + b
            self.z.append(z)
            a = z if name is None or self.is_wrong("no activation") else self.activate(name, z)
            self.a.append(a)
            if self.is_wrong("activation not passed on"):
                a = z
        self.o = self.a[-1]

    def probabilities(self):
        if self.loss == "binary_cross_entropy":
            return sigmoid(self.o)
        if self.loss != "cross_entropy":
            return None
        exponentials = np.exp(self.o - self.o.max(axis=1, keepdims=True))
        if self.is_wrong("softmax over the samples"):
            exponentials = np.exp(self.o)
            return exponentials / exponentials.sum(axis=0)
        if self.is_wrong("softmax not normalised"):
            return np.exp(self.o)
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def target(self):
        if self.o.shape[1] == 1:
            return self.y.reshape(-1, 1).astype(self.dtype)
        return np.eye(self.o.shape[1], dtype=self.dtype)[self.y]

    def mean_loss(self):
        p, t = self.probabilities(), self.target()
        if self.loss == "binary_cross_entropy":
            second = 0 if self.is_wrong("one class in the loss") else (1 - t) * np.log(1 - p)
            losses = -(t * np.log(p) + second).sum(axis=1)
        elif self.loss == "cross_entropy":
            losses = -(t * np.log(p)).sum(axis=1)
        else:
            losses = ((self.o - t) ** 2).sum(axis=1) * self.dtype(0.5 if self.loss == "half_mse" else 1)
        factor = self.dtype(0.5)
        if self.is_wrong("L2 of the loss without its half"):
            factor = self.dtype(1)
        if self.is_wrong("L2 of the loss over the batch"):
            factor = self.dtype(0.5 / len(self.X))
        if self.is_wrong("no L2 in the loss"):
            factor = self.dtype(0)
        squares = sum((W * W).sum() for W in self.W)
        if self.is_wrong("L2 of biases in the loss"):
            squares += sum((b * b).sum() for b in self.b)
        data = losses.sum() if self.is_wrong("sum of losses") else losses.mean()
        if self.is_wrong("mean of losses over outputs"):
            data = data / self.o.shape[1]
        if self.is_wrong("logarithm to base 2"):
            data = data / np.log(self.dtype(2))
        return data + factor * self.l2 * squares

    def output_gradient(self):
        p, t, n = self.probabilities(), self.target(), self.dtype(len(self.X))
        if p is None:
            error = (self.o - t) * self.dtype(1 if self.loss == "half_mse" else 2)
            if self.is_wrong("factor 2 of the squared error"):
                error = (self.o - t) * self.dtype(2 if self.loss == "half_mse" else 1)
        elif self.is_wrong("softmax left out of the gradient"):
            error = self.o - t
        elif self.is_wrong("derivative of softmax left out"):
            error = -t / p if self.loss == "cross_entropy" else (p - t) / (p * (1 - p))
        elif self.is_wrong("derivative of the output twice"):
            error = (p - t) * p * (1 - p)
        else:
            error = p - t
        if self.is_wrong("sign of the gradient"):
            error = -error
        if self.is_wrong("targets not subtracted"):
            error = p
        if self.is_wrong("sum in the gradient"):
            return error
        if self.is_wrong("divided by outputs"):
            return error / n / self.dtype(self.o.shape[1])
        return error / n

    def backward(self):
        self.da, self.dz, self.dW, self.db = ([None] * self.depth for _ in range(4))
        gradient = self.output_gradient()
        self.do = gradient
        for i in reversed(range(self.depth)):
            self.da[i] = gradient
            name, z, a = self.names[i], self.z[i], self.a[i]
            if name is None or self.is_wrong("no derivative of the activation"):
                self.dz[i] = gradient
            elif self.is_wrong("relu of the gradient"):
                self.dz[i] = np.where(gradient > 0, gradient, gradient * self.slope(name, -np.ones_like(z), z))
            elif self.is_wrong("activation for its derivative"):
                self.dz[i] = gradient * a
            else:
                self.dz[i] = gradient * self.slope(name, z, a)
            self.dW[i], self.db[i] = self.of_parameters(i)
            W = self.W[i]
            if self.is_wrong("backward through a square weight transposed") and W.shape[0] == W.shape[1]:
                W = W.T
            if self.is_wrong("backward through updated weights"):
                W = W - self.rate * (self.mu * self.before[i][0] + self.dW[i])
            gradient = self.da[i] @ W if self.is_wrong("da passed back for dz") else self.dz[i] @ W
        self.dX = gradient

    def of_parameters(self, i):
        dz = self.da[i] if self.is_wrong("da for dz in dW") else self.dz[i]
        inputs = self.X if i == 0 else self.a[i - 1]
        if self.is_wrong("z for a in dW") and i > 0:
            inputs = self.z[i - 1]
        if self.is_wrong("last sample alone"):
            dz, inputs = dz[-1:], inputs[-1:]
        dW, db = dz.T @ inputs, dz.sum(axis=0)
        l2 = self.l2
        if self.is_wrong("no L2 in dW"):
            l2 = self.dtype(0)
        if self.is_wrong("twice the L2 in dW"):
            l2 = 2 * self.l2
        if self.is_wrong("L2 subtracted in dW"):
            l2 = -self.l2
        if self.is_wrong("L2 over the batch in dW"):
            l2 = self.l2 / self.dtype(len(self.X))
        if self.is_wrong("sum in dW"):
            dW, db = dW * self.dtype(len(self.X)), db * self.dtype(len(self.X))
        dW = dW + l2 * self.W[i]
        if self.is_wrong("bias decayed"):
            db = db + self.l2 * self.b[i]
        if self.is_wrong("mean for the sum in db"):
            db = db / self.dtype(len(self.X))
        if self.is_wrong("db over everything"):
            db = np.full_like(db, db.sum())
        if self.is_wrong("dW transposed"):
            dW = dW.T if dW.shape[0] == dW.shape[1] else dW
        return dW, db

    def update(self):
        self.v, self.new = [], []
        for i in range(self.depth):
            pairs = zip((self.W[i], self.b[i]), (self.dW[i], self.db[i]), self.before[i])
            moved = [self.move(w, g, before) for w, g, before in pairs]
            self.v.append([v for v, _ in moved])
            self.new.append([w for _, w in moved])

    def move(self, w, g, before):
        mu, rate = self.mu, self.rate
        v = mu * before + g
        if self.is_wrong("1 - momentum"):
            v = mu * before + (1 - mu) * g
        if self.is_wrong("momentum forgotten"):
            v = g
        if self.is_wrong("velocity subtracts the gradient"):
            v = mu * before - g
        if self.is_wrong("rate in the velocity"):  # no mistake: another convention
            v = mu * rate * before + rate * g
            return v, w - v
        if self.is_wrong("velocity is the step"):  # likewise
            v = -mu * rate * before - rate * g
            return v, w + v
        steps = {"update added": -rate * v, "rate forgotten": v, "rate twice": rate * rate * v, "step along the gradient": rate * g,
                 "Nesterov's step": rate * (g + mu * v), "step along the old velocity": rate * before, "no update": 0 * v,
                 "decay on top": rate * v + rate * self.l2 * w, "update twice": 2 * rate * v,
                 "update divided by the batch": rate * v / self.dtype(len(self.X))}
        return v, w - steps.get(self.wrong, rate * v)

    def compute(self):
        """The arrays by their short names, in this precision."""
        if self.is_wrong("inputs in another order"):
            self.X = self.X[::-1]
        if self.is_wrong("inputs not normalised"):
            self.X = self.X * self.dtype(3) + self.dtype(0.5)
        arrays = {"X": self.X, "y": self.y + 1 if self.is_wrong("classes from one") else self.y}
        for i in range(self.depth):
            arrays |= {f"W{i + 1}": self.W[i], f"b{i + 1}": self.b[i]}
        self.forward()
        self.backward()
        self.update()
        if self.is_wrong("gradient after the update"):
            before, self.W, self.b = (self.W, self.b), [new[0] for new in self.new], [new[1] for new in self.new]
            self.forward()
            self.backward()
            self.W, self.b = before
        arrays |= {"learning_rate": self.rate, "loss": self.mean_loss()}
        for i in range(self.depth):
            n = i + 1
            arrays |= {f"z{n}": self.z[i], f"dz{n}": self.dz[i], f"dW{n}": self.dW[i], f"db{n}": self.db[i],
                       f"W{n}_new": self.new[i][0], f"b{n}_new": self.new[i][1]}
            if self.names[i] is not None:
                arrays |= {f"a{n}": self.a[i], f"da{n}": self.da[i]}
            if self.mu:
                arrays |= {f"vW{n}": self.v[i][0], f"vb{n}": self.v[i][1]}
        if self.probabilities() is not None:
            arrays["probabilities"] = self.probabilities()
        return {name: np.asarray(array, dtype=self.y.dtype if name == "y" else self.dtype) for name, array in arrays.items()}
