/** Path data for lines and areas: straight from point to point, so that no value is drawn that was not measured. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

function joinPoints(points: readonly Point[]): string {
  return points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L');
}

export function linePath(points: readonly Point[]): string {
  return points.length === 0 ? '' : `M${joinPoints(points)}`;
}

/** The area between two lines that run over the same x. */
export function areaPath(upper: readonly Point[], lower: readonly Point[]): string {
  return upper.length === 0 ? '' : `M${joinPoints(upper)}L${joinPoints([...lower].reverse())}Z`;
}
