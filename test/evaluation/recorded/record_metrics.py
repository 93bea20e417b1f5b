"""Writes metrics.json beside this file: small cases with the figures that scikit-learn, scipy and numpy give for them.

    python record_metrics.py        (scikit-learn and numpy; the test itself needs neither)

The inputs are drawn here, rounded so that they survive JSON, and kept in the file.
"""
import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def delong(scores, y):
    """The definition, pair by pair: area, variance."""
    pos, neg = scores[y == 1], scores[y == 0]
    psi = (pos[:, None] > neg[None, :]) + 0.5 * (pos[:, None] == neg[None, :])
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    if min(len(pos), len(neg)) < 2:
        return psi.mean(), None
    return psi.mean(), v10.var(ddof=1) / len(pos) + v01.var(ddof=1) / len(neg)


def ranking(scores, y):
    if y.min() == y.max():
        return {"auc": None, "variance": None, "averagePrecision": None}
    auc = metrics.roc_auc_score(y, scores)
    area, variance = delong(scores, y)
    assert abs(auc - area) < 1e-12
    return {"auc": auc, "variance": variance, "averagePrecision": metrics.average_precision_score(y, scores)}


def per_class(y, said, scores):
    out = []
    for k in range(y.shape[1]):
        p, r, f, n = metrics.precision_recall_fscore_support(y[:, k], said[:, k], pos_label=1, average="binary", zero_division=np.nan)
        tn, fp, fn, tp = metrics.confusion_matrix(y[:, k], said[:, k], labels=[0, 1]).ravel()
        clean = lambda v: None if v is None or np.isnan(v) else float(v)
        out.append({
            "precision": clean(p), "recall": clean(r), "f1": clean(f), "support": int(y[:, k].sum()),
            "specificity": clean(tn / (tn + fp)) if tn + fp else None,
            **ranking(scores[:, k], y[:, k]),
        })
    return out


def macro(classes):
    mean = lambda key: float(np.mean([c[key] for c in classes if c[key] is not None]))
    return {key: mean(key) for key in ["precision", "recall", "specificity", "f1", "auc", "averagePrecision"]}


def ece(confidence, correct, bins):
    """Guo et al. 2017: equal-width bins, open to the left."""
    edges, total = np.linspace(0, 1, bins + 1), 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return float(total)


def binary(rng, n, rate):
    y = (rng.random(n) < rate).astype(int)
    z = np.round(rng.normal(2.0 * y - 1.0, 1.6), 1)  # one decimal: many ties
    p = sigmoid(z)
    said = (p >= 0.5).astype(int)
    both = lambda a: np.stack([1 - a, a], axis=1)
    classes = per_class(both(y), both(said), np.stack([1 - p, p], axis=1))
    fpr, tpr, thresholds = metrics.roc_curve(y, p, drop_intermediate=False)
    precision, recall, _ = metrics.precision_recall_curve(y, p)
    return {
        "kind": "binary", "logits": z[:, None].tolist(), "truth": y[:, None].tolist(),
        "accuracy": metrics.accuracy_score(y, said), "balancedAccuracy": metrics.balanced_accuracy_score(y, said),
        "mcc": metrics.matthews_corrcoef(y, said), "f1": metrics.f1_score(y, said),
        "confusion": metrics.confusion_matrix(y, said).tolist(),
        "nll": metrics.log_loss(y, p), "brier": metrics.brier_score_loss(y, p), "ece": ece(p, y, 10),
        "classes": classes, "macro": macro(classes),
        "roc": {"fpr": fpr.tolist(), "tpr": tpr.tolist()},
        "pr": {"precision": precision.tolist(), "recall": recall.tolist()},
    }


def exclusive(rng, n, shares):
    k = len(shares)
    y = rng.choice(k, n, p=shares)
    z = np.round(rng.normal(0, 1.3, (n, k)) + 1.8 * np.eye(k)[y], 2)
    p, one_hot = softmax(z), np.eye(k, dtype=int)[y]
    top = p.argmax(axis=1)
    classes = per_class(one_hot, np.eye(k, dtype=int)[top], p)
    return {
        "kind": "single-label", "logits": z.tolist(), "truth": one_hot.tolist(),
        "accuracy": metrics.accuracy_score(y, top), "balancedAccuracy": metrics.balanced_accuracy_score(y, top),
        "f1": metrics.f1_score(y, top, average="macro"),
        "confusion": metrics.confusion_matrix(y, top, labels=range(k)).tolist(),
        "nll": metrics.log_loss(y, p, labels=range(k)),
        "brier": float(((p - one_hot) ** 2).sum(axis=1).mean()), "ece": ece(p.max(axis=1), top == y, 10),
        "classes": classes, "macro": macro(classes),
    }


def independent(rng, n, rates):
    y = (rng.random((n, len(rates))) < np.array(rates)).astype(int)
    z = np.round(rng.normal(2.2 * y - 1.1, 1.5), 1)
    p = sigmoid(z)
    said = (p >= 0.5).astype(int)
    classes = per_class(y, said, p)
    return {
        "kind": "multi-label", "logits": z.tolist(), "truth": y.tolist(),
        "accuracy": metrics.accuracy_score(y, said), "f1": metrics.f1_score(y, said, average="macro"),
        "confusion": None, "nll": float(np.mean([metrics.log_loss(y[:, k], p[:, k], labels=[0, 1]) for k in range(len(rates))])),
        "brier": float(((p - y) ** 2).mean()), "ece": ece(p.ravel(), y.ravel(), 10),
        "classes": classes, "macro": macro(classes),
    }


rng = np.random.default_rng(7)
cases = {
    "binary, balanced, with ties": binary(rng, 80, 0.5),
    "binary, rare finding": binary(rng, 120, 0.08),
    "seven exclusive classes, unbalanced": exclusive(rng, 140, [0.6, 0.12, 0.1, 0.06, 0.05, 0.04, 0.03]),
    "three exclusive classes": exclusive(rng, 45, [0.3, 0.3, 0.4]),
    "four independent labels": independent(rng, 90, [0.4, 0.2, 0.1, 0.05]),
}
note = f"made by record_metrics.py with scikit-learn {sklearn.__version__}, numpy {np.__version__}"
target = Path(__file__).with_name("metrics.json")
target.write_text(json.dumps({"made": note, "cases": cases}, allow_nan=False) + "\n")
print(target.stat().st_size, "bytes;", note)
