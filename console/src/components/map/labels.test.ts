import { describe, expect, test } from 'bun:test';
import { type LabelRequest, placeLabels } from './labels.ts';

const GROUND = { width: 400, height: 200 };

function label(id: string, x: number, y: number, weight = 0): LabelRequest {
  return { id, x, y, weight, markerRadius: 5, width: 60, height: 14 };
}

describe('labels on the map', () => {
  test('stand right of their marker when there is room', () => {
    expect(placeLabels([label('a', 100, 100)], GROUND)).toEqual([{ id: 'a', left: 110, middle: 100 }]);
  });

  test('go to the left at the right edge', () => {
    expect(placeLabels([label('a', 390, 100)], GROUND)[0]?.left).toBe(320);
  });

  test('never lie over another label or marker', () => {
    const placed = placeLabels([label('a', 100, 100, 2), label('b', 130, 100, 1)], GROUND);
    expect(placed).toEqual([
      { id: 'a', left: 30, middle: 100 },
      { id: 'b', left: 140, middle: 100 },
    ]);
  });

  test('the busiest is placed, and one without room left out', () => {
    const crowd = Array.from({ length: 40 }, (_, index) => label(`p${index}`, 100 + (index % 7), 100, index));
    const placed = placeLabels(crowd, GROUND);
    expect(placed.length).toBeLessThan(crowd.length);
    expect(placeLabels([], GROUND)).toEqual([]);
  });
});
