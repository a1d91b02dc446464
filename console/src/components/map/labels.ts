/**
 * Finds room for the names beside their markers: each label tries right, left, below and above its marker,
 * the busiest marker first, and is left out where it would lie over a marker or another label.
 */
export interface LabelRequest {
  readonly id: string;
  /** Pixels. */
  readonly x: number;
  readonly y: number;
  readonly markerRadius: number;
  readonly width: number;
  readonly height: number;
  /** Higher finds room first. */
  readonly weight: number;
}

export interface PlacedLabel {
  readonly id: string;
  /** Left edge and middle of the text. */
  readonly left: number;
  readonly middle: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const GAP = 5;

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function boxAround(x: number, y: number, halfWidth: number, halfHeight: number): Box {
  return { left: x - halfWidth, right: x + halfWidth, top: y - halfHeight, bottom: y + halfHeight };
}

function candidateBoxes(label: LabelRequest): Box[] {
  const { x, y, width, height } = label;
  const sideways = label.markerRadius + GAP + width / 2;
  const upright = label.markerRadius + 2 + height / 2;
  return [
    boxAround(x + sideways, y, width / 2, height / 2),
    boxAround(x - sideways, y, width / 2, height / 2),
    boxAround(x, y + upright, width / 2, height / 2),
    boxAround(x, y - upright, width / 2, height / 2),
  ];
}

export function placeLabels(
  labels: readonly LabelRequest[],
  ground: { readonly width: number; readonly height: number },
): PlacedLabel[] {
  const markers = labels.map((label) => ({
    id: label.id,
    box: boxAround(label.x, label.y, label.markerRadius, label.markerRadius),
  }));
  const taken: Box[] = [];
  const placed: PlacedLabel[] = [];
  const order = [...labels].sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
  for (const label of order) {
    const box = candidateBoxes(label).find(
      (candidate) =>
        candidate.left >= 0 &&
        candidate.right <= ground.width &&
        candidate.top >= 0 &&
        candidate.bottom <= ground.height &&
        !taken.some((other) => overlap(candidate, other)) &&
        !markers.some((marker) => marker.id !== label.id && overlap(candidate, marker.box)),
    );
    if (box === undefined) continue;
    taken.push(box);
    placed.push({ id: label.id, left: box.left, middle: (box.top + box.bottom) / 2 });
  }
  return placed;
}
