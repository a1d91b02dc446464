/** What `perigee reload` says. */
import { AppError } from '#core/base/app-error.ts';
import type { ReloadReport } from './reloads.ts';

/** The text for people. Throws AppError when the reload failed: one line that says what runs on as it was. */
export function reloadText(report: ReloadReport): string {
  refuseFailed(report);
  const { replaced, generation, formers, drainSeconds } = report;
  const lines = [`Replaced: ${replaced.join(', ')}. Generation ${generation}.`];
  if (formers > 0) {
    const who = formers === 1 ? '1 former process finishes' : `${formers} former processes finish`;
    lines.push(`${who} what is under way, within ${drainSeconds} s.`);
  }
  return `${lines.join('\n')}\n`;
}

/** Throws AppError when the reload failed. */
export function refuseFailed({ failure, replaced, kept }: ReloadReport): void {
  if (failure === null) return;
  const done = replaced.length === 0 ? 'nothing was replaced' : `replaced before: ${replaced.join(', ')}`;
  const rest = kept.length === 0 ? '' : `; as it was: ${kept.join(', ')}`;
  throw new AppError('unavailable', `reload failed: ${failure.message} (${done}${rest})`, { cause: failure });
}
