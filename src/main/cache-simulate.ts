/** `perigee cache simulate TRACE`: what other sizes and policies would have made of the requests in a trace. */
import { writeFileSync } from 'node:fs';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { type SimulationReport, simulate } from './simulate/simulate.ts';
import { simulationSvg } from './simulate/simulation-plot.ts';
import { readShare } from './up/share.ts';
import { readSize } from './up/storage-options.ts';

export interface SimulateArguments {
  readonly size?: readonly string[];
  readonly share?: string;
  readonly warmUp: string;
  readonly plot?: string;
}

const SIZE_MIN = 1024 ** 2;
const SIZE_MAX = 64 * 1024 ** 4;
const SIZES_MAX = 16;
const WARM_UP_PERCENT_MAX = 90;

/** Throws AppError: `invalid` for a bad option or line, `not-found` for a file that cannot be read. */
export async function simulateCache(path: string, given: SimulateArguments): Promise<SimulationReport> {
  const sizes = (given.size ?? []).map((size) => readSize(size, '--size', SIZE_MIN, SIZE_MAX));
  if (sizes.length > SIZES_MAX) throw new AppError('invalid', `--size: ${SIZES_MAX} sizes at the most`);
  const report = await simulate(path, {
    sizes: sizes.length === 0 ? null : [...new Set(sizes)].sort((a, b) => a - b),
    share: given.share === undefined ? null : readShare(given.share, '--share'),
    warmUpShare: readWarmUp(given.warmUp),
  });
  if (given.plot !== undefined) writePlot(given.plot, report);
  return report;
}

function readWarmUp(text: string): number {
  const percent = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(percent <= WARM_UP_PERCENT_MAX)) {
    throw new AppError(
      'invalid',
      `--warm-up ${text}: must be a whole number of percent from 0 to ${WARM_UP_PERCENT_MAX}`,
    );
  }
  return percent / 100;
}

function writePlot(path: string, report: SimulationReport): void {
  try {
    writeFileSync(path, simulationSvg(report));
  } catch (error) {
    throw new AppError('invalid', `--plot ${path}: cannot be written: ${errorMessage(error)}`);
  }
}
