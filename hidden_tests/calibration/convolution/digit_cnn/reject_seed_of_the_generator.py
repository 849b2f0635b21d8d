"""reject behaviour: seeds the global state with the seed of the generator, wherever that has got to."""

import torch
from torch import nn


class DigitCNN(nn.Module):
    def __init__(self, image_size=(8, 8), num_classes=10, *, channels=32, generator=None):
        super().__init__()
        height, width = image_size
        if min(height, width) < 4:
            raise ValueError("image_size must be at least (4, 4)")
        if num_classes < 2:
            raise ValueError("num_classes must be at least 2")
        if channels < 1:
            raise ValueError("channels must be at least 1")
        self.image_size = (height, width)
        if generator is not None:
            torch.manual_seed(generator.initial_seed())
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(2 * channels)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(2 * channels * (height // 4) * (width // 4), num_classes)
        for layer in (self.conv1, self.conv2, self.head):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, images):
        if images.ndim != 4 or images.shape[1:] != (1, *self.image_size):
            raise ValueError("images must have shape (batch, 1, height, width)")
        hidden = self.pool(torch.relu(self.norm1(self.conv1(images))))
        hidden = self.pool(torch.relu(self.norm2(self.conv2(hidden))))
        return self.head(hidden.flatten(1))


def fit(model, data, *, epochs=12, lr=1e-2, batch_size=32, generator=None):
    images, labels = data
    if len(images) != len(labels) or len(images) == 0:
        raise ValueError("data must hold one label per image")
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    if generator is not None:
        torch.manual_seed(generator.initial_seed())
    steps = epochs * -(-len(images) // batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps)
    history = {"loss": [], "accuracy": []}
    was_training = model.training
    model.train()
    for _ in range(epochs):
        loss_sum, right = 0.0, 0
        order = torch.randperm(len(images))
        for batch in order.split(batch_size):
            logits = model(images[batch])
            loss = nn.functional.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.item() * len(batch)
            right += (logits.argmax(1) == labels[batch]).sum().item()
        history["loss"].append(loss_sum / len(images))
        history["accuracy"].append(right / len(images))
    model.train(was_training)
    return history


def predict(model, images, *, batch_size=256):
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    was_training = model.training
    model.eval()
    with torch.no_grad():
        classes = torch.cat([model(batch).argmax(1) for batch in images.split(batch_size)])
    model.train(was_training)
    return classes
