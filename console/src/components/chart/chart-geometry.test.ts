import { describe, expect, test } from 'bun:test';
import { chartGeometry, valueTicks } from './chart-geometry.ts';

const FRAME = { width: 120, height: 100, left: 20, right: 0, top: 0, bottom: 0 };

describe('the geometry of a chart', () => {
  test.each([
    [0, 1],
    [0.3, 0.3],
    [7, 8],
    [101, 120],
    [12_345, 14_000],
  ])('the axis for values up to %d ends at or above them', (max, end) => {
    const axis = valueTicks(max, 4);
    expect(axis[0]).toBe(0);
    expect(axis[axis.length - 1]).toBeCloseTo(end);
  });

  test('time runs over the whole width, values from the bottom', () => {
    const { xOf, yOf } = chartGeometry([0, 10], [[0, 8]], { from: 0, to: 10 }, FRAME);
    expect([xOf(0), xOf(5), xOf(10)]).toEqual([20, 70, 120]);
    expect([yOf(0), yOf(8)]).toEqual([100, 0]);
  });

  test('layers stand on one another', () => {
    const { areas } = chartGeometry(
      [0, 10],
      [
        [4, 4],
        [4, 4],
      ],
      { from: 0, to: 10 },
      FRAME,
    );
    expect(areas.map((layer) => layer.edge)).toEqual(['M20.0,50.0L120.0,50.0', 'M20.0,0.0L120.0,0.0']);
  });

  test('an area lies between its line and the one below it', () => {
    const { areas } = chartGeometry(
      [0, 10],
      [
        [4, 4],
        [4, 4],
      ],
      { from: 0, to: 10 },
      FRAME,
    );
    expect(areas[1]?.fill).toBe('M20.0,0.0L120.0,0.0L120.0,50.0L20.0,50.0Z');
  });

  test('no points: no paths, and nothing breaks', () => {
    const { areas, valueTicks: axis } = chartGeometry([], [[]], { from: 0, to: 0 }, FRAME);
    expect(areas).toEqual([{ fill: '', edge: '' }]);
    expect(axis.length).toBeGreaterThan(1);
  });
});
