/** A simulation as a picture: hit ratios by size, the sizes on a scale of powers. */
import { formatBytes } from '#cli/quantity.ts';
import { POLICIES, type PolicyName, type SimulationReport } from './simulate.ts';

const [WIDTH, HEIGHT, MARGIN] = [720, 420, 60];
const COLOURS: Readonly<Record<PolicyName, string>> = {
  LRU: '#7a7a7a',
  SIEVE: '#d08700',
  'S3-FIFO': '#0a7d4f',
  engine: '#1554d1',
};

export function simulationSvg({ sizes }: SimulationReport): string {
  const logs = sizes.map(({ bytes }) => Math.log(bytes));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const x = (bytes: number): number =>
    MARGIN + ((Math.log(bytes) - low) / (high - low || 1)) * (WIDTH - 2 * MARGIN);
  const y = (ratio: number): number => HEIGHT - MARGIN - ratio * (HEIGHT - 2 * MARGIN);
  const text = (at: number, height: number, anchor: string, words: string, colour = '#333'): string =>
    `<text x="${at.toFixed(1)}" y="${height.toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${words}</text>`;
  const grid = [0, 0.2, 0.4, 0.6, 0.8, 1].flatMap((ratio) => [
    `<path d="M${MARGIN} ${y(ratio)}H${WIDTH - MARGIN}" stroke="#ddd"/>`,
    text(MARGIN - 6, y(ratio) + 4, 'end', `${Math.round(ratio * 100)} %`),
  ]);
  const ticks = sizes.map(({ bytes }) => text(x(bytes), HEIGHT - MARGIN + 20, 'middle', formatBytes(bytes)));
  const lines = POLICIES.flatMap((name, i) => {
    const points = sizes.flatMap(({ bytes, policies }) => {
      const found = policies[name];
      return found === null ? [] : [`${x(bytes).toFixed(1)},${y(found.objectHitRatio).toFixed(1)}`];
    });
    return [
      `<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[name]}" stroke-width="2"/>`,
      text(MARGIN + 10 + i * 90, MARGIN - 20, 'start', name, COLOURS[name]),
    ];
  });
  const title = text(WIDTH / 2, HEIGHT - 10, 'middle', 'size of the cache; requests that are hits');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${[...grid, ...ticks, ...lines, title].join('\n')}
</svg>
`;
}
