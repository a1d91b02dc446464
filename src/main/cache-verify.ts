/** `perigee cache verify PATH`: reads all that an edge keeps on a disk, and says what is damaged. For whoever has the disk. */

import { formatBytes, formatCount } from '#cli/quantity.ts';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { type VerifyReport, verifyDisk } from '#edge/storage/disk/verify.ts';

/** Throws AppError `not-found` when there is nothing to read. */
export async function verifyCache(path: string): Promise<VerifyReport> {
  let report: VerifyReport;
  try {
    report = await verifyDisk(path);
  } catch (error) {
    throw new AppError('not-found', `${path} cannot be read: ${errorMessage(error)}`);
  }
  if (report.segments > 0) return report;
  throw new AppError('not-found', `${path} holds nothing stored by Perigee; give the PATH of --disk`);
}

export function verifyText({
  segments,
  openSegments,
  records,
  octets,
  damaged,
  damagedRecords,
}: VerifyReport): string {
  const open = openSegments === 0 ? '' : `, ${openSegments} of them being written or left by a crash`;
  const lines = [
    `${formatCount(records)} records of ${formatBytes(octets)} in ${segments} segments${open}: ${damagedRecords} damaged.`,
  ];
  for (const { file, offset, reason } of damaged) {
    lines.push(`  ${file}${offset === null ? '' : ` at ${offset}`}: ${reason}`);
  }
  if (damagedRecords > 0)
    lines.push('What is damaged is not served; it is fetched again when it is asked for.');
  return `${lines.join('\n')}\n`;
}
