"""Closed formulas for weights, inputs and noise, so that golden files hold results only.

golden.hpp has the same formulas in C++; index i runs over a tensor's elements in row-major order.
"""

import math

import torch


def wave(shape, scale, step, phase):
    """scale * sin(step * i + phase) in float64."""
    count = math.prod(shape)
    return (scale * torch.sin(step * torch.arange(count, dtype=torch.float64) + phase)).reshape(shape)


def fill_weights(model, biases_around=1.0):
    """p = m + 0.05 sin(0.37 i + j), j being the tensor's number in the state_dict; m is 0, for 1-D
    weights 1, for 1-D biases biases_around."""
    with torch.no_grad():
        for j, (name, tensor) in enumerate(model.state_dict().items()):
            mean = 0.0
            if tensor.dim() == 1:
                mean = biases_around if name.endswith("bias") else 1.0
            tensor.copy_(wave(tensor.shape, 0.05, 0.37, j) + mean)


def images(shape):
    return wave(shape, 1.0, 0.11, 0.0)


def cotangent(shape):
    """The gradient of the loss by the prediction, for checks of the backward pass."""
    return wave(shape, 1.0, 0.13, 0.4)


def starting_noise(shape):
    return wave(shape, 1.5, 0.77, 0.2)


def step_noise(shape, step):
    return wave(shape, math.sqrt(2.0), 1.7, 2.3 * step)


def gaussian_denoiser(x, alpha_bar, prediction="epsilon"):
    """The exact prediction for pixels distributed as N(0.3 sin(0.7 i), 0.8^2)."""
    mean = wave(x.shape, 0.3, 0.7, 0.0)
    signal, sigma = alpha_bar**0.5, (1 - alpha_bar) ** 0.5
    residual = (x.double() - signal * mean) / (alpha_bar * 0.8**2 + 1 - alpha_bar)
    noise = sigma * residual
    image = mean + 0.8**2 * signal * residual
    if prediction == "epsilon":
        return noise.to(x.dtype)
    return (image if prediction == "sample" else signal * noise - sigma * image).to(x.dtype)
