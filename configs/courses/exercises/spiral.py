"""The spiral, practical 5 of Universidad de la República: one step of a network with two hidden layers, by hand.
La espiral, práctico 5 de la Universidad de la República: un paso de una red con dos capas ocultas, a mano.

    build/lockstep trace-step configs/courses/spiral.toml --step 50 --out step.npz
    python3 spiral.py
    build/lockstep compare mine.npz --against step.npz

Put an expression in place of each `...`, from top to bottom. Compare as often as you like: what is still `...` is left out.
Reemplazar cada `...` por una expresión, de arriba hacia abajo. Se puede comparar en cualquier momento: lo que sigue siendo
`...` no cuenta.
"""

import numpy as np

step = np.load("step.npz")


def given(name):
    return step[name].astype(float)


# What the step starts from, N samples / De dónde parte el paso, N muestras
X = given("inputs")  # (N, 2)
y = step["targets"].reshape(-1, 1)  # (N, 1): 0 or 1 / 0 o 1
W1, b1 = given("layers.0.weight").T, given("layers.0.bias")  # (2, 8), (8,)
W2, b2 = given("layers.1.weight").T, given("layers.1.bias")  # (8, 8), (8,)
W3, b3 = given("layers.2.weight").T, given("layers.2.bias")  # (8, 1), (1,)
learning_rate = given("learning_rate")
momentum = given("momentum")
vW1_before, vb1_before = given("layers.0.weight.velocity.before").T, given("layers.0.bias.velocity.before")
vW2_before, vb2_before = given("layers.1.weight.velocity.before").T, given("layers.1.bias.velocity.before")
vW3_before, vb3_before = given("layers.2.weight.velocity.before").T, given("layers.2.bias.velocity.before")
slope = 0.1  # of leaky ReLU left of 0 / de leaky ReLU a la izquierda de 0

# Forward / Hacia adelante
z1 = ...  # (N, 8)
a1 = ...  # (N, 8): leaky ReLU
z2 = ...  # (N, 8)
a2 = ...  # (N, 8): leaky ReLU
z3 = ...  # (N, 1)
a3 = ...  # (N, 1): sigmoid, the probability of class 1 / la probabilidad de la clase 1
loss = ...  # binary cross-entropy, mean over the samples / entropía cruzada binaria, promedio sobre las muestras

# Backward: the derivative of loss with respect to each / Hacia atrás: la derivada de loss respecto de cada uno
dz3 = ...  # (N, 1)
dW3 = ...  # (8, 1)
db3 = ...  # (1,)
da2 = ...  # (N, 8)
dz2 = ...  # (N, 8)
dW2 = ...  # (8, 8)
db2 = ...  # (8,)
da1 = ...  # (N, 8)
dz1 = ...  # (N, 8)
dW1 = ...  # (2, 8)
db1 = ...  # (8,)

# Gradient descent with momentum: velocities, then parameters / Descenso por gradiente con momento: velocidades, luego parámetros
vW1 = ...
vb1 = ...
vW2 = ...
vb2 = ...
vW3 = ...
vb3 = ...
W1_new = ...
b1_new = ...
W2_new = ...
b2_new = ...
W3_new = ...
b3_new = ...

# Nothing to change from here on / De aquí en adelante no hay nada que cambiar
names = """X y W1 b1 W2 b2 W3 b3 z1 a1 z2 a2 z3 a3 loss dz3 dW3 db3 da2 dz2 dW2 db2 da1 dz1 dW1 db1
    vW1 vb1 vW2 vb2 vW3 vb3 W1_new b1_new W2_new b2_new W3_new b3_new""".split()
written = {name: globals()[name] for name in names if globals()[name] is not ...}
np.savez("mine.npz", **written)
print("mine.npz:", *written)
if len(written) < len(names):
    print("still to write / falta escribir:", *[name for name in names if name not in written])
