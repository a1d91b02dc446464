/** Reading every record of a disk, without touching anything: whether each is as it was written. */
import { readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '#core/base/error-message.ts';
import { entriesIn, readAt } from './footers.ts';
import { readDiskRecord } from './segment-format.ts';

export interface Damage {
  readonly file: string;
  /** Octets from the file's beginning; null: the file as a whole. */
  readonly offset: number | null;
  readonly reason: string;
}

export interface VerifyReport {
  segments: number;
  /** Segments without a footer: one is being written by each worker that runs. */
  openSegments: number;
  records: number;
  octets: number;
  /** Of those damaged, the first thousand. */
  readonly damaged: Damage[];
  damagedRecords: number;
}

const SEGMENT = /^\d+\.seg$/;
const DAMAGED_SHOWN_MAX = 1_000;

/** `path`: as given to `--disk`, or a folder with segments itself. Rejects when there are none to be read. */
export async function verifyDisk(path: string): Promise<VerifyReport> {
  const report: VerifyReport = {
    segments: 0,
    openSegments: 0,
    records: 0,
    octets: 0,
    damaged: [],
    damagedRecords: 0,
  };
  for (const file of segmentsUnder(path)) {
    const handle = await open(file, 'r');
    try {
      await verifySegment(handle, file, report);
    } catch (error) {
      note(report, { file, offset: null, reason: errorMessage(error) });
    } finally {
      await handle.close();
    }
  }
  return report;
}

function segmentsUnder(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith('perigee-'));
  const own = entries.filter((entry) => entry.isFile() && SEGMENT.test(entry.name));
  const inFolders = folders.flatMap(({ name }) =>
    readdirSync(join(path, name))
      .filter((file) => SEGMENT.test(file))
      .map((file) => join(path, name, file)),
  );
  return [...own.map(({ name }) => join(path, name)), ...inFolders];
}

async function verifySegment(handle: FileHandle, file: string, report: VerifyReport): Promise<void> {
  report.segments++;
  const { entries, isSealed } = await entriesIn(handle);
  if (!isSealed) report.openSegments++;
  for (const { offset, byteLength } of entries) {
    const record = readDiskRecord(await readAt(handle, offset, byteLength), 0, byteLength);
    report.records++;
    report.octets += byteLength;
    if (record === null) note(report, { file, offset, reason: 'its checksum is another' });
  }
}

function note(report: VerifyReport, damage: Damage): void {
  report.damagedRecords++;
  if (report.damaged.length < DAMAGED_SHOWN_MAX) report.damaged.push(damage);
}
