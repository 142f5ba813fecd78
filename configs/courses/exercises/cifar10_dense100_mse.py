"""Practice 3, problem 2 of Instituto Balseiro: one step of 3072 - 100 sigmoid - 10 linear on CIFAR-10, with mean squared
error and L2, by hand.
Práctica 3, problema 2 del Instituto Balseiro: un paso de 3072 - 100 sigmoides - 10 lineales con CIFAR-10, con error cuadrático
medio y L2, a mano.

    build/lockstep trace-step configs/cifar10_dense100_mse.toml --step 50 --out step.npz
    python3 cifar10_dense100_mse.py
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
y = step["targets"]  # (N,): the class, 0 to 9 / la clase, de 0 a 9
X = given("inputs").reshape(len(y), -1)  # (N, 3072): less the mean / sin la media
W1, b1 = given("layers.0.weight").T, given("layers.0.bias")  # (3072, 100), (100,)
W2, b2 = given("layers.1.weight").T, given("layers.1.bias")  # (100, 10), (10,)
learning_rate = given("learning_rate")
l2 = 1e-4

# Forward / Hacia adelante
T = ...  # (N, 10): 1 at the sample's class, else 0 / 1 en la clase de la muestra, si no 0
z1 = ...  # (N, 100)
a1 = ...  # (N, 100): sigmoid
z2 = ...  # (N, 10): the outputs / las salidas
# Squared error, summed over the outputs, mean over the samples; and 1/2 l2 of the sum of all squared weights (not biases)
# Error cuadrático, sumado sobre las salidas, promedio sobre las muestras; más 1/2 l2 por la suma de todos los pesos al
# cuadrado (no los sesgos)
loss = ...

# Backward: the derivative of loss with respect to each / Hacia atrás: la derivada de loss respecto de cada uno
dz2 = ...  # (N, 10)
dW2 = ...  # (100, 10)
db2 = ...  # (10,)
da1 = ...  # (N, 100)
dz1 = ...  # (N, 100)
dW1 = ...  # (3072, 100)
db1 = ...  # (100,)

# Gradient descent / Descenso por gradiente
W1_new = ...
b1_new = ...
W2_new = ...
b2_new = ...

# Nothing to change from here on / De aquí en adelante no hay nada que cambiar
names = "X y W1 b1 W2 b2 z1 a1 z2 loss dz2 dW2 db2 da1 dz1 dW1 db1 W1_new b1_new W2_new b2_new".split()
written = {name: globals()[name] for name in names if globals()[name] is not ...}
np.savez("mine.npz", **written)
print("mine.npz:", *written)
if len(written) < len(names):
    print("still to write / falta escribir:", *[name for name in names if name not in written])
