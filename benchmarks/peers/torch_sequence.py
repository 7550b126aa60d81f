"""The sentence taggers in eager PyTorch: `nn.RNN` or `nn.LSTM`, on packed sentences or on padded ones."""

import numpy as np
import torch
from sentences import cut, padded
from serve import Task, stepping
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence


class Tagger(nn.Module):
    """The bias of the hidden state stays zero: amigrad has one bias, and two would learn twice as fast."""

    def __init__(self, arrays, layer):
        super().__init__()
        values = {
            name: torch.from_numpy(a.copy()) for name, a in arrays.items() if name.endswith(("table", "weight", "bias"))
        }
        self.table = nn.Embedding.from_pretrained(values["word_table"], freeze=False, sparse=True)
        hidden, tags = values["output_weight"].shape
        self.layer = (nn.LSTM if layer == "lstm" else nn.RNN)(values["word_table"].shape[1], hidden)
        self.output = nn.Linear(hidden, tags)
        with torch.no_grad():
            self.layer.weight_ih_l0.copy_(values["input_weight"].T)
            self.layer.weight_hh_l0.copy_(values["hidden_weight"].T)
            self.layer.bias_ih_l0.copy_(values["hidden_bias"])
            self.layer.bias_hh_l0.zero_().requires_grad_(False)
            self.output.weight.copy_(values["output_weight"].T)
            self.output.bias.copy_(values["output_bias"])


def training(model, cost, batches, rate):
    sparse = model.table.weight
    everything = [p for p in model.parameters() if p.requires_grad]
    dense = [p for p in everything if p is not sparse]
    optimizers = [torch.optim.SGD(dense, rate, fused=True), torch.optim.SGD([sparse], rate)]

    def step(*batch):
        for parameter in everything:
            parameter.grad = None
        value = cost(*batch)
        value.backward()
        for optimizer in optimizers:
            optimizer.step()
        return value.detach()

    return Task(stepping(step), batches)


def packed_sentences(arrays, settings):
    """Words in the order of a packed sequence, longest sentence first: nothing is computed twice or for nothing."""
    model = Tagger(arrays, settings["layer"])

    def cost(words, sizes, tags):
        hidden, _ = model.layer(PackedSequence(model.table(words), sizes))
        return functional.cross_entropy(model.output(hidden.data), tags)

    batches = []
    for sentences in cut(arrays):
        ordered = sorted(sentences, key=lambda sentence: -len(sentence[0]))
        lengths = np.array([len(words) for words, _ in ordered])
        sizes = [int((lengths > time).sum()) for time in range(lengths[0])]
        columns = [
            np.array([ordered[row][part][time] for time, size in enumerate(sizes) for row in range(size)], np.int64)
            for part in (0, 1)
        ]
        words, tags = map(torch.from_numpy, columns)
        batches.append((words, torch.tensor(sizes), tags))
    return training(model, cost, batches, settings["rate"])


def padded_sentences(arrays, settings):
    """To the longest sentence of the batch; what is behind a sentence has no cost."""
    model = Tagger(arrays, settings["layer"])

    def cost(words, tags):
        hidden, _ = model.layer(model.table(words))
        return functional.cross_entropy(model.output(hidden).flatten(0, 1), tags, ignore_index=-100)

    batches = []
    for words, tags, weights in padded(arrays):
        longest = int((weights > 0).sum(0).max())
        marked = np.where(weights > 0, tags, -100)[:longest].reshape(-1)
        batches.append((torch.from_numpy(words[:longest]).long(), torch.from_numpy(marked).long()))
    return training(model, cost, batches, settings["rate"])


FORMS = {"eager, packed": packed_sentences, "eager, padded": padded_sentences}
