"""The flower, F. Cervantes' exercise 3: one step of a network with a hidden layer of tanh units, by hand.
La flor, ejercicio 3 de F. Cervantes: un paso de una red con una capa oculta de unidades tanh, a mano.

    build/lockstep trace-step configs/courses/flower.toml --step 50 --out step.npz
    python3 flower.py
    build/lockstep compare mine.npz --against step.npz

Put an expression in place of each `...`, from top to bottom. Compare as often as you like: what is still `...` is left out.
Reemplazar cada `...` por una expresión, de arriba hacia abajo. Se puede comparar en cualquier momento: lo que sigue siendo
`...` no cuenta.
"""

import numpy as np

step = np.load("step.npz")


def given(name):
    return step[name].astype(float)


# What the step starts from: N samples, H hidden units / De dónde parte el paso: N muestras, H unidades ocultas
X = given("inputs")  # (N, 2): a sample a row / una muestra por fila
y = step["targets"].reshape(-1, 1)  # (N, 1): 0 or 1 / 0 o 1
W1, b1 = given("layers.0.weight").T, given("layers.0.bias")  # (2, H), (H,)
W2, b2 = given("layers.1.weight").T, given("layers.1.bias")  # (H, 1), (1,)
learning_rate = given("learning_rate")

# Forward / Hacia adelante
z1 = ...  # (N, H)
a1 = ...  # (N, H): tanh
z2 = ...  # (N, 1)
a2 = ...  # (N, 1): sigmoid, the probability of class 1 / la probabilidad de la clase 1
loss = ...  # binary cross-entropy, mean over the samples / entropía cruzada binaria, promedio sobre las muestras

# Backward: the derivative of loss with respect to each / Hacia atrás: la derivada de loss respecto de cada uno
dz2 = ...  # (N, 1)
dW2 = ...  # (H, 1)
db2 = ...  # (1,)
da1 = ...  # (N, H)
dz1 = ...  # (N, H)
dW1 = ...  # (2, H)
db1 = ...  # (H,)

# Gradient descent / Descenso por gradiente
W1_new = ...
b1_new = ...
W2_new = ...
b2_new = ...

# Nothing to change from here on / De aquí en adelante no hay nada que cambiar
names = "X y W1 b1 W2 b2 z1 a1 z2 a2 loss dz2 dW2 db2 da1 dz1 dW1 db1 W1_new b1_new W2_new b2_new".split()
written = {name: globals()[name] for name in names if globals()[name] is not ...}
np.savez("mine.npz", **written)
print("mine.npz:", *written)
if len(written) < len(names):
    print("still to write / falta escribir:", *[name for name in names if name not in written])
