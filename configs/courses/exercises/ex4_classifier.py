"""Exercise 4 of I2DL, y = sigmoid(x W + b): one step of gradient descent, by hand.
Ejercicio 4 de I2DL, y = sigmoid(x W + b): un paso de descenso por gradiente, a mano.

    build/lockstep trace-step configs/courses/ex4_classifier.toml --step 50 --out step.npz
    python3 ex4_classifier.py
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
W1, b1 = given("layers.0.weight").T, given("layers.0.bias")  # (2, 1), (1,)
learning_rate = given("learning_rate")

# Forward / Hacia adelante
z1 = ...  # (N, 1)
a1 = ...  # (N, 1): sigmoid, the probability of class 1 / la probabilidad de la clase 1
loss = ...  # binary cross-entropy, mean over the samples / entropía cruzada binaria, promedio sobre las muestras

# Backward: the derivative of loss with respect to each / Hacia atrás: la derivada de loss respecto de cada uno
dz1 = ...  # (N, 1)
dW1 = ...  # (2, 1)
db1 = ...  # (1,)

# Gradient descent / Descenso por gradiente
W1_new = ...  # (2, 1)
b1_new = ...  # (1,)

# Nothing to change from here on / De aquí en adelante no hay nada que cambiar
names = "X y W1 b1 z1 a1 loss dz1 dW1 db1 W1_new b1_new".split()
written = {name: globals()[name] for name in names if globals()[name] is not ...}
np.savez("mine.npz", **written)
print("mine.npz:", *written)
if len(written) < len(names):
    print("still to write / falta escribir:", *[name for name in names if name not in written])
