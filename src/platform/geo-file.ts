/**
 * The compiled geography database as a file: a checksum, then the table of core/ip/geo-table.ts. It is
 * mapped (on Node, read), so that threads and processes share its memory; a file is only ever replaced by renaming, never
 * rewritten, so a mapping stays whole.
 *
 *   "PGEOFILE" | CRC-32 of the rest (u32) | zero (u32) | table
 */
import { readFileSync, statSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { AppError } from '#core/base/app-error.ts';
import { type GeoTable, openGeoTable } from '#core/ip/geo-table.ts';

const MAGIC = new TextEncoder().encode('PGEOFILE');
const HEADER_OCTETS = 16;

/** The file's content for a compiled table. */
export function withChecksum(table: Uint8Array): Uint8Array {
  const file = new Uint8Array(HEADER_OCTETS + table.length);
  file.set(MAGIC);
  file.set(table, HEADER_OCTETS);
  new DataView(file.buffer).setUint32(8, crc32(table), true);
  return file;
}

/**
 * Maps a compiled file. Throws AppError `unavailable` when it is not there, damaged or of another version.
 * `isChecked`: its checksum has been found right already; what is not looked at need not come into memory.
 */
export function openGeoFile(path: string, isChecked = false): GeoTable {
  const refuse = (reason: string): AppError =>
    new AppError('unavailable', `The geography database ${path} cannot be used: ${reason}.`);
  const octets = statSync(path, { throwIfNoEntry: false })?.size;
  if (octets === undefined) throw refuse('it does not exist');
  if (octets <= HEADER_OCTETS) throw refuse('it is not one of Perigee');
  const file = typeof Bun === 'undefined' ? readFileSync(path) : Bun.mmap(path);
  const isOurs = MAGIC.every((octet, index) => file[index] === octet);
  if (!isOurs) throw refuse('it is not one of Perigee');
  const table = file.subarray(HEADER_OCTETS);
  const checksum = new DataView(file.buffer, file.byteOffset).getUint32(8, true);
  if (!isChecked && checksumOf(path) !== checksum) throw refuse('its checksum is wrong');
  const opened = openGeoTable(table);
  if (typeof opened === 'string') throw refuse(opened);
  return opened;
}

/** Read and not mapped, so that pages that no client asks for do not stay. */
function checksumOf(path: string): number {
  return crc32(readFileSync(path).subarray(HEADER_OCTETS));
}
