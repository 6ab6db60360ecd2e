"""Blending of prompt embeddings: several prompts at once, and one into the next over time."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

InterpolationMethod = Literal["linear", "slerp"]

PARALLEL = 1e-4
"""Sine of the angle under which two vectors count as parallel and slerp becomes linear."""


@dataclass(frozen=True, slots=True)
class TransitionConfig:
    """How to move from one prompt to the next.

    Attributes:
        num_steps: Calls that the move takes; 0 is a jump.
        temporal_interpolation_method: Path of the move.
        target_prompts: Where it goes, as ``{"text", "weight"}``.
    """

    num_steps: int = 0
    temporal_interpolation_method: InterpolationMethod = "linear"
    target_prompts: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_immediate(self) -> bool:
        """Whether the move is a jump."""
        return self.num_steps <= 0


def parse_transition_config(transition: Mapping[str, Any] | None) -> TransitionConfig:
    """Read the ``transition`` parameter of a call.

    Args:
        transition: ``{"target_prompts", "num_steps", "temporal_interpolation_method"}``, each
            with a default; None for no transition, which is a jump.

    Raises:
        ValueError: ``num_steps`` is negative or the method is unknown.
    """
    if transition is None:
        return TransitionConfig()
    steps = int(transition.get("num_steps", 4))
    if steps < 0:
        message = f"num_steps must be at least 0, found {steps}"
        raise ValueError(message)
    method = _method(transition.get("temporal_interpolation_method", "linear"))
    return TransitionConfig(steps, method, tuple(transition.get("target_prompts") or ()))


def slerp(start: torch.Tensor, end: torch.Tensor, amount: float) -> torch.Tensor:
    """Interpolate along the arc between vectors, in the last dimension.

    Computed in float32, because the angle of half-precision vectors is often not a number.

    Args:
        start: ``(..., D)``.
        end: Of the same shape.
        amount: 0 gives ``start``, 1 gives ``end``.

    Returns:
        A tensor of the shape and type of ``start``. Vectors that are parallel, opposite or zero
        are interpolated linearly.
    """
    first, second = start.float(), end.float()
    norms = first.norm(dim=-1, keepdim=True) * second.norm(dim=-1, keepdim=True)
    cosine = (first * second).sum(dim=-1, keepdim=True) / norms.clamp_min(1e-12)
    angle = torch.acos(cosine.clamp(-1.0, 1.0))
    sine = torch.sin(angle)
    has_arc = (sine > PARALLEL) & (norms > 0)
    divisor = torch.where(has_arc, sine, torch.ones_like(sine))
    arc = (
        torch.sin((1.0 - amount) * angle) / divisor * first
        + torch.sin(amount * angle) / divisor * second
    )
    return torch.where(has_arc, arc, torch.lerp(first, second, amount)).to(start.dtype)


def blend_embeddings(
    embeddings: Sequence[torch.Tensor],
    weights: Sequence[float],
    method: str = "linear",
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Blend embeddings of one shape into one.

    Args:
        embeddings: At least one.
        weights: One per embedding, not negative; only their ratios matter. If all are 0, they
            count as equal.
        method: ``"linear"`` or ``"slerp"``; slerp takes the embeddings in one after the other.
        dtype: Type of the result; that of the first embedding if None.

    Raises:
        ValueError: Nothing to blend, a wrong number of weights, or an unknown method.
    """
    shares = _shares(len(embeddings), weights)
    result_type = dtype or embeddings[0].dtype
    blended = embeddings[0].float()
    taken = shares[0]
    if _method(method) == "linear":
        blended = blended * taken
        for embedding, share in zip(embeddings[1:], shares[1:], strict=True):
            blended = blended + embedding.float() * share
        return blended.to(result_type)
    for embedding, share in zip(embeddings[1:], shares[1:], strict=True):
        taken += share
        if taken > 0:
            blended = slerp(blended, embedding.float(), share / taken)
    return blended.to(result_type)


class EmbeddingBlender:
    """Blends prompts, and moves from one blend to the next over several calls."""

    def __init__(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> None:
        self._device = device
        self._dtype = dtype
        self._current: torch.Tensor | None = None
        self._queue: deque[torch.Tensor] = deque()

    def blend(
        self,
        embeddings: Sequence[torch.Tensor],
        weights: Sequence[float],
        interpolation_method: str = "linear",
        cache_result: bool = True,  # noqa: FBT001, FBT002 -- the signature is Scope's
    ) -> torch.Tensor | None:
        """Blend embeddings.

        Args:
            embeddings: All of one shape.
            weights: One per embedding.
            interpolation_method: ``"linear"`` or ``"slerp"``.
            cache_result: Whether the result is where the next transition starts.

        Returns:
            The blend on this blender's device, in its type; None if there is nothing to blend.
        """
        if not embeddings:
            return None
        blended = self._placed(
            blend_embeddings(embeddings, weights, interpolation_method, self._dtype)
        )
        if cache_result:
            self._current = blended
        return blended

    def start_transition(
        self,
        target_embedding: torch.Tensor,
        num_steps: int,
        temporal_interpolation_method: str = "linear",
        source_embedding: torch.Tensor | None = None,
    ) -> None:
        """Move to another embedding; `get_next_embedding` then gives one step per call.

        Args:
            target_embedding: Where the move ends, exactly, with the last step.
            num_steps: Steps of the move; 0 ends a running move and jumps.
            temporal_interpolation_method: ``"linear"`` or ``"slerp"``.
            source_embedding: Where it starts; the last blend or step if None. Without either,
                the move is a jump.
        """
        method = _method(temporal_interpolation_method)
        target = self._placed(target_embedding)
        source = self._current if source_embedding is None else self._placed(source_embedding)
        self._queue.clear()
        if source is None or num_steps <= 0:
            self._queue.append(target)
            return
        for step in range(1, num_steps):
            amount = step / num_steps
            between = (
                slerp(source, target, amount)
                if method == "slerp"
                else torch.lerp(source.float(), target.float(), amount).to(target.dtype)
            )
            self._queue.append(between)
        self._queue.append(target)

    def is_transitioning(self) -> bool:
        """Return whether steps are left."""
        return bool(self._queue)

    def get_next_embedding(self) -> torch.Tensor | None:
        """Return the next step of the move; None if there is none."""
        if not self._queue:
            return None
        self._current = self._queue.popleft()
        return self._current

    def cancel_transition(self) -> None:
        """Forget the steps that are left; the next move starts where this one stands."""
        self._queue.clear()

    def _placed(self, embedding: torch.Tensor) -> torch.Tensor:
        return embedding.to(device=self._device, dtype=self._dtype)


def _shares(count: int, weights: Sequence[float]) -> list[float]:
    if count == 0 or len(weights) != count:
        message = f"blending needs one weight per embedding, found {len(weights)} for {count}"
        raise ValueError(message)
    if min(weights) < 0:
        message = "weights must not be negative"
        raise ValueError(message)
    total = sum(weights)
    return [weight / total for weight in weights] if total > 0 else [1 / count] * count


def _method(name: object) -> InterpolationMethod:
    if name == "linear":
        return "linear"
    if name == "slerp":
        return "slerp"
    message = f"an interpolation method is 'linear' or 'slerp', found {name!r}"
    raise ValueError(message)
